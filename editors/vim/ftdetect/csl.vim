" *.csl is CSL, unless it begins as XML does: then it is of the Citation Style Language.
" Made by `cargo xtask editors`.
function! s:Detect() abort
  let number = nextnonblank(1)
  let first = substitute(getline(number == 0 ? 1 : number), '^\%ufeff', '', '')
  if first =~# '^\s*<'
    set filetype=xml
  else
    set filetype=csl
  endif
endfunction

autocmd BufNewFile,BufRead *.csl call s:Detect()
