"""What may happen to a certificate: pure decisions, one function a command, from state and moment to facts or a refusal."""
