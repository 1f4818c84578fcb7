/**
 * The grammar of CSL for editors. It follows `grammar/csl.lalrpop` and takes a little more: an editor shows unfinished text.
 */

/// <reference types="tree-sitter-cli/dsl" />
// @ts-check

const PREC = {
  open: 0,
  or: 1,
  and: 2,
  compare: 3,
  bitwise: 4,
  shift: 5,
  sum: 6,
  product: 7,
  prefix: 8,
  postfix: 9,
};

const list1 = (rule) => seq(rule, repeat(seq(',', rule)), optional(','));
const list = (rule) => optional(list1(rule));

module.exports = grammar({
  name: 'csl',

  word: ($) => $.identifier,

  extras: ($) => [/[\s\uFEFF]/, $.comment],

  supertypes: ($) => [$.declaration, $.statement, $.expression],

  inline: ($) => [$._control, $._closing],

  rules: {
    source_file: ($) => repeat($.declaration),

    comment: (_) => token(seq('//', /[^\n]*/)),

    // ------------------------------------------------------------ declarations

    declaration: ($) =>
      choice(
        $.variable_declaration,
        $.function_declaration,
        $.color_declaration,
        $.comptime_block,
        $.layout_block,
        $.empty_statement,
      ),

    storage: (_) => choice('export', 'extern'),

    variable_declaration: ($) =>
      seq(
        optional($.storage),
        optional('comptime'),
        field('kind', choice('const', 'var', 'param')),
        field('name', $.identifier),
        optional(seq(':', field('type', $._declared_type))),
        repeat($.attribute),
        optional(seq('=', field('value', $.expression))),
        ';',
      ),

    color_declaration: ($) => seq('color', field('name', $.identifier), ';'),

    attribute: ($) =>
      seq(field('name', choice('align', 'linksection', 'linkname')), '(', field('value', $.expression), ')'),

    function_declaration: ($) =>
      seq(
        optional($.storage),
        optional(choice('inline', 'noinline')),
        field('kind', choice('fn', 'task')),
        field('name', $.identifier),
        field('parameters', $.parameters),
        repeat($.attribute),
        field('result', $._declared_type),
        repeat($.attribute),
        choice(field('body', $.block), ';'),
      ),

    parameters: ($) => seq('(', list($.parameter), ')'),

    parameter: ($) =>
      seq(
        optional('comptime'),
        optional(seq(field('name', $.identifier), ':')),
        field('type', choice($._declared_type, 'anytype')),
      ),

    comptime_block: ($) => seq('comptime', field('body', $.block)),

    layout_block: ($) => seq('layout', field('body', $.block)),

    // ------------------------------------------------------------ statements

    block: ($) => seq('{', repeat($.statement), '}'),

    statement: ($) => choice($.variable_declaration, $.expression_statement, $.empty_statement),

    empty_statement: (_) => ';',

    // What begins with a block, `if`, loop or `switch` may end without a `;`.
    expression_statement: ($) =>
      choice(seq(choice($.expression, $.assignment), ';'), prec(-1, $._control)),

    _control: ($) =>
      choice(
        $._closing,
        $.if_expression,
        $.for_expression,
        $.while_expression,
        $.comptime_expression,
      ),

    assignment: ($) =>
      seq(
        field('target', $._postfix),
        field('operator', choice('=', '+=', '-=', '*=', '/=', '%=', '<<=', '>>=', '&=', '|=', '^=')),
        field('value', $.expression),
      ),

    // ------------------------------------------------------------ expressions

    expression: ($) =>
      choice(
        $._type,
        $._closing,
        $.initializer,
        $.tensor_access,
        $.unary_expression,
        $.binary_expression,
        $.comptime_expression,
        $.if_expression,
        $.for_expression,
        $.while_expression,
        $.return_expression,
        $.break_expression,
        $.continue_expression,
      ),

    // The body of an `if`, loop or arm, where an assignment may stand too.
    _body: ($) => choice($.expression, $.assignment),

    _closing: ($) => choice($.block_expression, $.switch_expression),

    block_expression: ($) => seq(optional($.label), $.block),

    label: ($) => seq(field('name', $.identifier), ':'),

    switch_expression: ($) =>
      seq('switch', '(', field('input', $.expression), ')', '{', list($.switch_arm), '}'),

    switch_arm: ($) =>
      seq(
        choice('else', seq(field('value', $.expression), repeat(seq(',', field('value', $.expression))))),
        '=>',
        field('body', $._body),
      ),

    if_expression: ($) =>
      prec.right(
        PREC.open,
        seq(
          'if',
          '(',
          field('condition', $.expression),
          ')',
          field('consequence', $._body),
          optional(seq('else', field('alternative', $._body))),
        ),
      ),

    for_expression: ($) =>
      prec.right(
        PREC.open,
        seq(
          optional($.label),
          optional('inline'),
          'for',
          '(',
          field('iterated', $.expression),
          ')',
          field('variables', $.loop_variables),
          field('body', $._body),
        ),
      ),

    loop_variables: ($) => seq('|', list1($.identifier), '|'),

    while_expression: ($) =>
      prec.right(
        PREC.open,
        seq(
          optional($.label),
          optional('inline'),
          'while',
          '(',
          field('condition', $.expression),
          ')',
          optional(seq(':', '(', field('step', $._body), ')')),
          field('body', $._body),
        ),
      ),

    comptime_expression: ($) => prec.right(PREC.open, seq('comptime', $._body)),

    return_expression: ($) => prec.right(PREC.open, seq('return', optional($.expression))),

    break_expression: ($) =>
      prec.right(PREC.open, seq('break', optional(seq(':', field('label', $.identifier))), optional($.expression))),

    continue_expression: ($) =>
      prec.right(PREC.open, seq('continue', optional(seq(':', field('label', $.identifier))))),

    unary_expression: ($) =>
      prec(PREC.prefix, seq(field('operator', choice('-', '~', '!', '&')), field('operand', $.expression))),

    binary_expression: ($) => {
      const tiers = [
        [PREC.or, 'or'],
        [PREC.and, 'and'],
        [PREC.compare, choice('==', '!=', '<', '<=', '>', '>=')],
        [PREC.bitwise, choice('&', '|', '^')],
        [PREC.shift, choice('<<', '>>')],
        [PREC.sum, choice('+', '-')],
        [PREC.product, choice('*', '/', '%')],
      ];
      return choice(
        ...tiers.map(([tier, operator]) =>
          prec.left(
            tier,
            seq(field('left', $.expression), field('operator', operator), field('right', $.expression)),
          ),
        ),
      );
    },

    initializer: ($) => prec(1, seq(field('type', $._type), $._initial_values)),

    _initial_values: ($) => seq('{', choice(list1($.field_initializer), list($.expression)), '}'),

    field_initializer: ($) => seq('.', field('name', alias($.identifier, $.field_identifier)), '=', field('value', $.expression)),

    tensor_access: ($) =>
      seq(
        field('variables', $.loop_variables),
        '{',
        field('extents', list1($.expression)),
        '}',
        '->',
        field('value', $._postfix),
      ),

    // ------------------------------------------------------------ types and operands

    // A type as written. No initialiser in braces follows it, so that a function's body can follow its result.
    _type: ($) => choice($.pointer_type, $.array_type, $.function_type, $._postfix),

    // The type of a declaration, which may be chosen between several without parentheses.
    _declared_type: ($) =>
      choice($._type, alias($.type_choice, $.if_expression), $.switch_expression, alias($.type_block, $.block_expression)),

    type_choice: ($) =>
      seq(
        'if',
        '(',
        field('condition', $.expression),
        ')',
        field('consequence', $._declared_type),
        'else',
        field('alternative', $._declared_type),
      ),

    type_block: ($) => seq($.label, $.block),

    pointer_type: ($) =>
      seq(choice('*', seq('[', '*', ']')), optional('const'), field('element', $._declared_type)),

    array_type: ($) => seq('[', list1(field('dimension', $.expression)), ']', field('element', $._declared_type)),

    function_type: ($) =>
      seq(choice('fn', 'task'), field('parameters', $.parameters), field('result', $._declared_type)),

    _postfix: ($) =>
      choice(
        $._primary,
        $.field_expression,
        $.dereference,
        $.index_expression,
        $.call_expression,
      ),

    field_expression: ($) => prec(PREC.postfix, seq(field('value', $._postfix), '.', field('field', alias($.identifier, $.field_identifier)))),

    dereference: ($) => prec(PREC.postfix, seq($._postfix, '.*')),

    index_expression: ($) => prec(PREC.postfix, seq(field('value', $._postfix), '[', list1(field('index', $.expression)), ']')),

    call_expression: ($) => prec(PREC.postfix, seq(field('function', $._postfix), field('arguments', $.arguments))),

    arguments: ($) => seq('(', list($.expression), ')'),

    _primary: ($) =>
      choice(
        $.integer,
        $.float,
        $.character,
        $.string,
        $.true,
        $.false,
        $.identifier,
        $.builtin_call,
        $.parenthesized_expression,
        $.anonymous_initializer,
        $.aggregate_type,
        $.enum_type,
        $.asm_expression,
      ),

    builtin_call: ($) => seq(field('function', $.builtin_identifier), field('arguments', $.arguments)),

    parenthesized_expression: ($) => seq('(', $.expression, ')'),

    anonymous_initializer: ($) => seq('.', $._initial_values),

    aggregate_type: ($) =>
      seq(optional(choice('extern', 'packed')), choice('struct', 'union'), '{', list($.field_declaration), '}'),

    field_declaration: ($) => seq(field('name', alias($.identifier, $.field_identifier)), ':', field('type', $._declared_type)),

    enum_type: ($) => seq('enum', optional(seq('(', field('base', $.expression), ')')), '{', list($.enum_member), '}'),

    enum_member: ($) => seq(field('name', $.identifier), optional(seq('=', field('value', $.expression)))),

    asm_expression: ($) =>
      seq(
        'asm',
        optional('volatile'),
        '(',
        field('template', $._postfix),
        optional(','),
        optional(seq(':', list($.asm_operand), optional(seq(':', list($.asm_operand), optional(seq(':', list($.expression))))))),
        ')',
      ),

    asm_operand: ($) => seq('[', field('name', $.identifier), ']', $.string, '(', $.expression, ')'),

    // ------------------------------------------------------------ tokens

    identifier: (_) => /[A-Za-z_][A-Za-z0-9_]*/,

    builtin_identifier: (_) => /@[A-Za-z_][A-Za-z0-9_]*/,

    integer: (_) => /[0-9][0-9A-Za-z_]*/,

    float: (_) =>
      token(
        choice(
          /[0-9][0-9_]*\.[0-9][0-9A-Za-z_]*/,
          /[0-9][0-9_]*(\.[0-9][0-9_]*)?[eE][+-]?[0-9][0-9A-Za-z_]*/,
          /0x[0-9A-Fa-f_]+\.[0-9A-Fa-f][0-9A-Za-z_]*/,
          /0x[0-9A-Fa-f_]+(\.[0-9A-Fa-f_]+)?[pP][+-]?[0-9][0-9A-Za-z_]*/,
        ),
      ),

    character: ($) => seq("'", choice(token.immediate(/[^'\\\n]/), $.escape_sequence), token.immediate("'")),

    string: ($) =>
      seq(
        '"',
        repeat(choice(alias(token.immediate(prec(1, /[^"\\\n]+/)), $.string_content), $.escape_sequence)),
        token.immediate('"'),
      ),

    escape_sequence: (_) => token.immediate(prec(1, /\\(x[0-9A-Fa-f]{2}|u\{[0-9A-Fa-f]+\}|[^\n])/)),

    true: (_) => 'true',
    false: (_) => 'false',
  },
});
