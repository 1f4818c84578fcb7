; Text objects, by the names of nvim-treesitter-textobjects (outer, inner) and of Helix (around, inside).
(function_declaration) @function.outer @function.around
(function_declaration body: (block) @function.inner @function.inside)

(aggregate_type) @class.outer @class.around
(enum_type) @class.outer @class.around

(block) @block.outer
(for_expression) @loop.outer
(for_expression body: (_) @loop.inner)
(while_expression) @loop.outer
(while_expression body: (_) @loop.inner)
(if_expression) @conditional.outer
(if_expression consequence: (_) @conditional.inner)

(call_expression) @call.outer
(builtin_call) @call.outer
(parameters (parameter) @parameter.outer @parameter.inner @parameter.around @parameter.inside)
(arguments (_) @parameter.outer @parameter.inner @parameter.around @parameter.inside)

(comment) @comment.inside
(comment)+ @comment.outer @comment.around
