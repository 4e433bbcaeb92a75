version
workflow w {}
