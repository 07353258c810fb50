"""The certificate document: printed, sealed with a signed proof, kept, and given out with what stands of it now."""
