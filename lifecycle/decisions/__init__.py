"""What may happen to a certificate: one pure function a command, from state and moment to facts or a refusal."""
