; Scopes, and the names that they define and use.
[
  (source_file)
  (function_declaration)
  (block)
  (for_expression)
  (tensor_access)
] @local.scope

(function_declaration name: (identifier) @local.definition.function)
(variable_declaration name: (identifier) @local.definition.var)
(color_declaration name: (identifier) @local.definition.var)
(parameter name: (identifier) @local.definition.parameter)
(loop_variables (identifier) @local.definition.var)

(identifier) @local.reference
