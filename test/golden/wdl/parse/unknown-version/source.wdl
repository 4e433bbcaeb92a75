version 1.9
workflow w {}
