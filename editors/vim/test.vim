" Opens programs as a plain Vim does, and writes 'passed' or what is wrong to the file g:report.
let s:wrong = []

function! s:Open(lines) abort
  let name = tempname() . '.csl'
  call writefile(a:lines, name)
  execute 'edit ' . fnameescape(name)
endfunction

function! s:Group(line, text) abort
  let column = stridx(getline(a:line), a:text) + 1
  return synIDattr(synID(a:line, column, 1), 'name')
endfunction

function! s:Expect(what, found, wanted) abort
  if a:found !=# a:wanted
    call add(s:wrong, a:what . ': ' . a:found . ' instead of ' . a:wanted)
  endif
endfunction

filetype on
syntax on

call s:Open(['', '// first', 'export var x: u16 = 0x1f; /// no', 'task main(a: i24) void { return @fmacs(a, 1.5e-3, "s\n"); }',
  \ 'const y = .{ .fn = x.align and true };'])
call s:Expect('a program', &filetype, 'csl')
for [line, text, group] in [
  \ [2, '// first', 'cslComment'],
  \ [3, 'export', 'cslModifier'],
  \ [3, 'var', 'cslDeclaration'],
  \ [3, 'u16', 'cslType'],
  \ [3, '0x1f', 'cslInteger'],
  \ [4, 'task', 'cslDeclaration'],
  \ [4, 'main', 'cslFunction'],
  \ [4, 'i24', 'cslType'],
  \ [4, 'return', 'cslControl'],
  \ [4, '@fmacs', 'cslBuiltin'],
  \ [4, '1.5e-3', 'cslFloat'],
  \ [4, '"s', 'cslString'],
  \ [4, '\n', 'cslEscape'],
  \ [5, 'fn', 'cslField'],
  \ [5, 'align', 'cslField'],
  \ [5, 'and', 'cslWordOperator'],
  \ [5, 'true', 'cslConstant']]
  call s:Expect(text, s:Group(line, text), group)
endfor

call s:Open(['', '<?xml version="1.0" encoding="utf-8"?>', '<style/>'])
call s:Expect('a citation style', &filetype, 'xml')
call s:Open([''])
call s:Expect('an empty file', &filetype, 'csl')

call writefile(empty(s:wrong) ? ['passed'] : s:wrong, g:report)
qall!
