; What an editor can fold.
[
  (block)
  (switch_expression)
  (aggregate_type)
  (enum_type)
  (initializer)
  (anonymous_initializer)
  (arguments)
  (parameters)
] @fold

(comment)+ @fold
