workflow w {}
version 1.0
