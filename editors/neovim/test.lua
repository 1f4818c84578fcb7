-- Drives the language server by Neovim's own client, as the configuration in the book starts it, and writes 'passed' or what is wrong
-- to the file g:report. The working directory holds a program: layout.csl, and pe.csl as below.
local wrong = {}
local PATIENCE = 30000

local function check(what, holds, found)
  if not holds then
    table.insert(wrong, what .. ': ' .. vim.inspect(found))
  end
end

-- The client of the buffer, once it has answered the server's first message.
local function client()
  local found
  -- The older name goes with 0.12.
  local clients = vim.lsp.get_clients or vim.lsp.get_active_clients
  vim.wait(PATIENCE, function()
    found = clients()[1]
    return found ~= nil and found.server_capabilities ~= nil and vim.lsp.buf_is_attached(0, found.id)
  end, 20)
  return found
end

-- The result of a request at a place of the buffer, counted from 1 and in bytes.
local function ask(method, line, column, more)
  vim.api.nvim_win_set_cursor(0, { line, column - 1 })
  local params = vim.lsp.util.make_position_params(0, client().offset_encoding)
  local answers, problem = vim.lsp.buf_request_sync(0, method, vim.tbl_extend('force', params, more or {}), PATIENCE)
  local _, answer = next(answers or {})
  if answer == nil or answer.result == nil then
    table.insert(wrong, method .. ': no answer: ' .. vim.inspect(problem or answer))
    return nil
  end
  return answer.result
end

local function line_of(text)
  for number, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
    local column = line:find(text, 1, true)
    if column then
      return number, column
    end
  end
  error('the program has no ' .. text)
end

local function has(text, part)
  return text ~= nil and vim.inspect(text):find(part, 1, true) ~= nil
end

local function diagnostics(holds)
  local found
  local came = vim.wait(PATIENCE, function()
    found = vim.diagnostic.get(0)
    return holds(found)
  end, 20)
  return came, found
end

local function steps()
  vim.cmd('edit pe.csl')
  check('the file type', vim.bo.filetype == 'csl', vim.bo.filetype)
  local server = client()
  check('a client', server ~= nil, server)
  if server == nil then
    return
  end
  check('its name', server.name == 'waferlab', server.name)

  -- pe.csl has one mistake, `totl` in place of `total`.
  local came, found = diagnostics(function(found) return #found > 0 end)
  check('diagnostics', came and has(found, 'totl'), found)
  local line, column = line_of('totl')
  check('their place', came and found[1].lnum == line - 1 and found[1].col == column - 1, found[1])
  vim.api.nvim_buf_set_text(0, line - 1, column - 1, line - 1, column + 3, { 'total' })
  came, found = diagnostics(function(found) return #found == 0 end)
  check('diagnostics of what is mended', came, found)

  line, column = line_of('@fmacs')
  local hover = ask('textDocument/hover', line, column + 2)
  check('hover', has(hover, 'fmacs'), hover)

  line, column = line_of('total += count')
  local definition = ask('textDocument/definition', line, column)
  local place = definition and (definition[1] or definition)
  local range = place and (place.range or place.targetSelectionRange)
  local declared = line_of('var total')
  check('definition', range ~= nil and range.start.line == declared - 1, definition)

  line, column = line_of('total += count')
  local completion = ask('textDocument/completion', line, column + 2)
  local items = completion and (completion.items or completion) or {}
  local labels = vim.tbl_map(function(item) return item.label end, items)
  check('completion', vim.tbl_contains(labels, 'total'), labels)

  local edit = ask('textDocument/rename', line, column, { newName = 'sum' })
  if edit then
    vim.lsp.util.apply_workspace_edit(edit, server.offset_encoding)
    local text = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
    check('rename', not text:find('total', 1, true) and text:find('sum += count', 1, true), text)
  end

  line = line_of('sum += count')
  vim.api.nvim_buf_set_lines(0, line - 1, line, false, { '      sum   +=count;' })
  local edits = ask('textDocument/formatting', line, 1, { options = { tabSize = 2, insertSpaces = true } })
  if edits then
    vim.lsp.util.apply_text_edits(edits, vim.api.nvim_get_current_buf(), server.offset_encoding)
    local formatted = vim.api.nvim_buf_get_lines(0, line - 1, line, false)[1]
    check('formatting', formatted == '  sum += count;', formatted)
  end

  -- A second file of the folder has the same client.
  vim.cmd('edit! layout.csl')
  check('one client', vim.wait(PATIENCE, function() return vim.lsp.buf_is_attached(0, server.id) end, 20), server.id)
end

local worked, problem = pcall(steps)
if not worked then
  table.insert(wrong, tostring(problem))
end
local report = #wrong == 0 and { 'passed' } or vim.split(table.concat(wrong, '\n'), '\n')
vim.fn.writefile(report, vim.g.report)
vim.cmd('qall!')
