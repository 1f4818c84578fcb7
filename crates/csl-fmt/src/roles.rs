//! What a token is where it stands: an operator with one operand or two, a block or an initialiser, and so whether a space
//! may stand beside it. Tokens before it decide, the tree is not needed.

use csl_syntax::Token;

use crate::piece::Piece;

/// What the tokens behind want to know of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Plain,
    /// It ends an operand: an operator behind it has two.
    Operand,
    /// The first `|` around the variables of a loop or an access to a tensor, and the second.
    Opening,
    Closing,
}

/// The kind of a pair of brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bracket {
    None,
    /// Parentheses around an operand or arguments.
    Plain,
    /// The head of an `if` or `while`, the step of a loop, an attribute's argument.
    Head,
    ForHead,
    WhileHead,
    SwitchHead,
    EnumBase,
    /// The parameters of a function with a name, and of one without, which is a type.
    Params,
    TypeParams,
    Asm,
    /// `[` before a type, and behind an operand.
    Array,
    Index,
    /// Braces around statements.
    Block,
    /// Braces around the arms of a `switch` or the fields of a type.
    Members,
    /// Braces of an initialiser.
    Init,
}

impl Bracket {
    /// Whether lines inside are a level deeper, even if the first of them begins behind the bracket.
    pub fn holds_lines(self) -> bool {
        matches!(self, Bracket::Block | Bracket::Members)
    }
}

/// An open bracket; the first stands for the file.
struct Open {
    at: usize,
    bracket: Bracket,
    /// A function's head has been read, and its body not.
    awaits_body: bool,
}

struct Scan<'p, 'a> {
    pieces: &'p mut [Piece<'a>],
    /// The tokens that are no comments, up to the current one.
    seen: Vec<usize>,
    open: Vec<Open>,
    /// The `|` that is open.
    opening: Option<usize>,
    /// Of a `|`: whether it is one of a loop.
    of_loop: bool,
}

/// Assigns roles, brackets and tightness, and takes back line breaks that no published program has.
pub fn assign(pieces: &mut [Piece<'_>]) {
    let len = pieces.len();
    let mut scan = Scan {
        pieces,
        seen: Vec::with_capacity(len),
        open: vec![Open { at: usize::MAX, bracket: Bracket::Block, awaits_body: false }],
        opening: None,
        of_loop: false,
    };
    for at in 0..len {
        if !scan.pieces[at].is_comment() {
            scan.retag(at);
            scan.piece(at);
            scan.seen.push(at);
        }
    }
    spaces(pieces);
}

/// Turns tightness into gaps. A space stays where the tokens would be others without it.
fn spaces(pieces: &mut [Piece<'_>]) {
    for at in 0..pieces.len() {
        let before = at.checked_sub(1).map(|i| &pieces[i]);
        let piece = &pieces[at];
        let gap = match before {
            None => 0,
            Some(_) if piece.begins_line() => 0,
            Some(_) if piece.is_comment() => piece.old_gap.max(1),
            Some(before) if before.tight.1 || piece.tight.0 => {
                usize::from(piece.old_gap > 0 && grow_together(before, piece))
            }
            Some(_) => 1,
        };
        pieces[at].gap = gap;
    }
}

fn grow_together(a: &Piece<'_>, b: &Piece<'_>) -> bool {
    let alone = |p: &Piece<'_>| p.opens() || p.closes() || matches!(p.token, Token::Comma | Token::Semicolon);
    if alone(a) || alone(b) {
        return false;
    }
    let together = format!("{}{}", a.text, b.text);
    let lexemes = crate::lexemes(&together);
    !matches!(lexemes.as_slice(), [first, second] if first.hi == a.text.len() && second.hi == together.len())
}

impl<'a> Scan<'_, 'a> {
    fn token(&self, at: usize) -> Token<'a> {
        self.pieces[at].token
    }

    /// The token before the current one, or the one `back` before that.
    fn last(&self, back: usize) -> Option<Token<'a>> {
        self.last_at(back).map(|at| self.token(at))
    }

    fn last_at(&self, back: usize) -> Option<usize> {
        self.seen.len().checked_sub(1 + back).map(|i| self.seen[i])
    }

    /// The token behind the current one.
    fn next(&self, at: usize) -> Option<Token<'a>> {
        self.pieces[at + 1..].iter().find(|p| !p.is_comment()).map(|p| p.token)
    }

    fn last_bracket(&self) -> Bracket {
        self.last_at(0).map_or(Bracket::None, |at| self.pieces[at].bracket)
    }

    fn follows_operand(&self) -> bool {
        self.last_at(0).is_some_and(|at| self.pieces[at].role == Role::Operand)
    }

    /// A keyword in the place of a name is a name, as the parser has it.
    fn retag(&mut self, at: usize) {
        let token = self.token(at);
        if !token.is_keyword() {
            return;
        }
        let is_jump = matches!(token, Token::Break | Token::Continue);
        let is_field = matches!(self.last(0), Some(Token::LBrace | Token::Comma))
            && self.next(at) == Some(Token::Colon)
            && !is_jump;
        if self.last(0) == Some(Token::Dot) || is_field {
            self.pieces[at].token = Token::Ident(self.pieces[at].text);
        }
    }

    fn set(&mut self, at: usize, role: Role, tight: (bool, bool)) {
        self.pieces[at].role = role;
        self.pieces[at].tight = tight;
    }

    fn piece(&mut self, at: usize) {
        use Token::*;
        match self.token(at) {
            Ident(_) | Int(_) | Float(_) | Char(_) | Str(_) | Builtin(_) | True | False => {
                self.set(at, Role::Operand, (false, false));
            }
            LParen | LBracket | LBrace => self.opens(at),
            RParen | RBracket | RBrace => self.closes(at),
            Comma => self.set(at, Role::Plain, (true, false)),
            Semicolon => {
                self.set(at, Role::Plain, (true, false));
                self.top().awaits_body = false;
            }
            Colon => self.colon(at),
            Dot => self.set(at, Role::Plain, (self.follows_operand(), true)),
            Deref => self.set(at, Role::Operand, (true, false)),
            Tilde | Bang => self.set(at, Role::Plain, (false, true)),
            Pipe => self.pipe(at),
            Minus | Amp | Star if !self.follows_operand() => self.set(at, Role::Plain, (false, true)),
            Plus | Minus | Star | Slash | Percent | Shl | Shr | Amp | Caret => self.binary(at),
            Else if self.last(0) == Some(RBrace) => self.join(at),
            _ => {}
        }
    }

    /// An operator between two operands has spaces on both sides, or on none if the author wrote none.
    fn binary(&mut self, at: usize) {
        let touches = |piece: Option<&Piece<'_>>| piece.is_some_and(|p| !p.begins_line() && p.old_gap == 0);
        let is_tight = touches(self.pieces.get(at)) && touches(self.pieces.get(at + 1));
        self.set(at, Role::Plain, (is_tight, is_tight));
    }

    fn colon(&mut self, at: usize) {
        let tight = match self.last(0) {
            Some(Token::RParen) if self.last_bracket() == Bracket::WhileHead => (false, false),
            Some(Token::Break | Token::Continue) => (false, true),
            _ if self.top().bracket == Bracket::Asm => (false, false),
            _ => (true, false),
        };
        self.set(at, Role::Plain, tight);
    }

    fn pipe(&mut self, at: usize) {
        let behind_for = self.last_bracket() == Bracket::ForHead && self.last(0) == Some(Token::RParen);
        if self.opening.is_some() {
            self.opening = None;
            self.set(at, Role::Closing, (true, false));
        } else if behind_for || !self.follows_operand() {
            self.opening = Some(at);
            self.of_loop = behind_for;
            self.set(at, Role::Opening, (false, true));
        } else {
            self.binary(at);
        }
    }

    fn top(&mut self) -> &mut Open {
        self.open.last_mut().expect("the file stays open")
    }

    fn opens(&mut self, at: usize) {
        let bracket = match self.token(at) {
            Token::LParen => self.parenthesis(),
            Token::LBracket if self.follows_operand() => Bracket::Index,
            Token::LBracket => Bracket::Array,
            _ => self.brace(),
        };
        let is_call = bracket == Bracket::Plain && (self.follows_operand());
        let before = is_call
            || matches!(
                bracket,
                Bracket::Index | Bracket::Init | Bracket::Params | Bracket::TypeParams | Bracket::EnumBase
            )
            || self.is_attribute();
        let behind = match bracket {
            Bracket::Init => self.pieces.get(at + 1).is_some_and(|p| p.old_gap == 0),
            Bracket::Block | Bracket::Members => self.pieces.get(at + 1).is_some_and(Piece::closes),
            _ => true,
        };
        self.set(at, Role::Plain, (before, behind));
        self.pieces[at].bracket = bracket;
        if bracket.holds_lines() && self.heads(at) {
            self.join(at);
        }
        self.open.push(Open { at, bracket, awaits_body: false });
    }

    /// Whether a brace belongs to what stands before it.
    fn heads(&self, at: usize) -> bool {
        let starts =
            matches!(self.last(0), None | Some(Token::Semicolon | Token::LBrace | Token::RBrace | Token::Comma));
        self.token(at) == Token::LBrace && !starts
    }

    /// Takes back a line break, unless a comment stands before it.
    fn join(&mut self, at: usize) {
        let behind_comment = at.checked_sub(1).is_some_and(|i| self.pieces[i].is_comment());
        if self.pieces[at].begins_line() && !behind_comment {
            self.pieces[at].breaks = 0;
            self.pieces[at].old_gap = 1;
        }
    }

    fn is_attribute(&self) -> bool {
        matches!(self.last(0), Some(Token::Align | Token::Linksection | Token::Linkname))
    }

    fn parenthesis(&mut self) -> Bracket {
        use Token::*;
        let named = matches!(self.last(1), Some(Fn | Task)) && matches!(self.last(0), Some(Ident(_)));
        match self.last(0) {
            Some(If | Align | Linksection | Linkname) => Bracket::Head,
            Some(For) => Bracket::ForHead,
            Some(While) => Bracket::WhileHead,
            Some(Switch) => Bracket::SwitchHead,
            Some(Enum) => Bracket::EnumBase,
            Some(Fn | Task) => Bracket::TypeParams,
            Some(Asm | Volatile) => Bracket::Asm,
            Some(Colon) if self.last_at(1).is_some_and(|at| self.pieces[at].bracket == Bracket::WhileHead) => {
                Bracket::Head
            }
            _ if named => Bracket::Params,
            _ => Bracket::Plain,
        }
    }

    fn brace(&mut self) -> Bracket {
        use Token::*;
        let awaits_body = self.top().awaits_body;
        match self.last(0) {
            Some(Dot) => Bracket::Init,
            Some(Struct | Union | Enum) => Bracket::Members,
            Some(RParen) if matches!(self.last_bracket(), Bracket::EnumBase | Bracket::SwitchHead) => Bracket::Members,
            Some(Pipe) if !self.of_loop => Bracket::Init,
            Some(_) if self.follows_operand() && !awaits_body => Bracket::Init,
            _ => {
                self.top().awaits_body = false;
                Bracket::Block
            }
        }
    }

    fn closes(&mut self, at: usize) {
        if self.open.len() == 1 {
            return;
        }
        let Some(Open { at: from, bracket, .. }) = self.open.pop() else { return };
        self.pieces[at].bracket = bracket;
        let before = match bracket {
            Bracket::Init if from + 1 == at => true,
            // The brace that opens decides, if something stands beside it.
            Bracket::Init if self.pieces[from + 1].begins_line() => self.pieces[at].old_gap == 0,
            Bracket::Init | Bracket::Block | Bracket::Members => self.pieces[from].tight.1,
            _ => true,
        };
        let role = match bracket {
            Bracket::Plain | Bracket::Index | Bracket::Init | Bracket::Asm | Bracket::Members => Role::Operand,
            _ => Role::Plain,
        };
        self.set(at, role, (before, matches!(bracket, Bracket::TypeParams | Bracket::Array)));
        if bracket == Bracket::Params {
            self.top().awaits_body = true;
        }
    }
}
