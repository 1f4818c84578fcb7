//! The table of diagnostic codes. A code is declared once, here, and never renumbered.

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    Note,
    Warning,
    Error,
}

impl Severity {
    /// The word that begins a diagnostic.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

macro_rules! codes {
    ($($name:ident = $text:literal, $severity:ident, $summary:literal;)*) => {
        /// A stable identifier of a kind of finding.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $summary] $name,)* }

        impl Code {
            pub const ALL: &[Code] = &[$(Code::$name,)*];

            /// The code as shown, for example `E0201`.
            pub fn text(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }

            /// The code with this text.
            pub fn from_text(text: &str) -> Option<Code> {
                Code::ALL.iter().copied().find(|code| code.text() == text)
            }

            pub fn severity(self) -> Severity {
                match self { $(Code::$name => Severity::$severity,)* }
            }

            /// Whether this is told once for a place in the source, however many PEs and values lead there.
            pub(crate) fn is_once_a_place(self) -> bool {
                matches!(self, Code::SharedQueue | Code::RouteOffEdge | Code::OtherColumn)
            }

            /// One line on the meaning of this kind of finding.
            pub fn summary(self) -> &'static str {
                match self { $(Code::$name => $summary,)* }
            }

            /// What the code means, with a program that has it and one that does not, in Markdown.
            pub fn page(self) -> &'static str {
                match self { $(Code::$name => include_str!(concat!("../codes/", $text, ".md")),)* }
            }
        }
    };
}

codes! {
    // E00xx: text and tokens.
    BadCharacter = "E0001", Error, "a character that no CSL token begins with";
    UnterminatedString = "E0002", Error, "a string or character literal that does not end on its line";
    BadEscape = "E0003", Error, "an escape sequence that CSL does not have";
    BadNumber = "E0004", Error, "a number with digits that its base does not have";
    // E01xx: syntax.
    SyntaxError = "E0100", Error, "a token where the grammar has none";
    MisplacedDocComment = "W0101", Warning, "a doc comment that documents nothing";
    UnusedValue = "W0102", Warning, "a statement that computes a value and drops it";
    // E02xx: names and modules.
    UnknownName = "E0201", Error, "a name that is declared nowhere in scope";
    Redeclared = "E0202", Error, "a name declared twice in one scope";
    UnknownBuiltin = "E0203", Error, "a builtin that CSL does not have";
    UnknownField = "E0204", Error, "a field or member that does not exist";
    FileNotFound = "E0205", Error, "a source file or library that cannot be found or read";
    ImportCycle = "E0206", Error, "a value that needs itself to be computed";
    UnknownParamBinding = "W0207", Warning, "a name bound in an import that the module does not declare";
    UnboundParam = "E0208", Error, "a param that is read and has no value";
    BadParamValue = "E0209", Error, "a value given to a param that its type does not admit";
    // E03xx: types.
    TypeMismatch = "E0301", Error, "a value of a type that does not fit where it is used";
    NotRepresentable = "E0302", Error, "a comptime value that its type cannot hold";
    BadOperand = "E0303", Error, "an operator or builtin applied to a type that it does not take";
    NotAType = "E0304", Error, "a value where a type is needed";
    BadType = "E0305", Error, "a type that cannot be formed or used here";
    NotAssignable = "E0306", Error, "an assignment to something that cannot change";
    NotCallable = "E0307", Error, "a call of something that is not a function";
    ArgumentCount = "E0308", Error, "a call with too many or too few arguments";
    IndexOutOfBounds = "E0309", Error, "a comptime-known index outside its array";
    MissingReturn = "E0310", Error, "a function that can end without its return value";
    BadSwitch = "E0311", Error, "a switch that misses cases or repeats one";
    BadLabel = "E0312", Error, "a break or continue with nothing to leave";
    // E04xx: comptime.
    NotComptime = "E0401", Error, "a run-time value where a comptime-known one is needed";
    RuntimeOnly = "E0402", Error, "something that only exists at run time, met at comptime";
    ComptimeOnly = "E0403", Error, "something that only exists at comptime, met at run time";
    AssertFailed = "E0404", Error, "a comptime assertion that does not hold";
    DivisionByZero = "E0405", Error, "a comptime division by zero";
    Overflow = "E0406", Error, "a comptime computation that leaves its type's range";
    QuotaExceeded = "E0407", Error, "a comptime loop or call chain beyond its limit";
    ComptimePrint = "N0408", Note, "the output of @comptime_print";
    // E05xx: builtins, DSDs, tasks and the machine's limits.
    BadBuiltinArgument = "E0501", Error, "an argument that a builtin does not take";
    WrongContext = "E0502", Error, "a builtin or statement used where it may not stand";
    IdOutOfRange = "E0503", Error, "a color, queue, task id or register that the chip does not have";
    TaskConflict = "E0504", Error, "two tasks bound to one id";
    BadTaskSignature = "E0505", Error, "a task whose parameters do not fit how it is bound";
    ReservedResource = "W0506", Warning, "a queue, register or id that memcpy uses itself";
    SharedQueue = "W0507", Warning, "one queue used by several DSDs";
    WrongArch = "E0508", Error, "a feature that the selected architecture does not have";
    NotImplemented = "E0509", Error, "a feature that Waferlab does not have yet";
    OlderForm = "W0510", Warning, "a form that today's guide forbids and earlier releases take";
    UninitializedQueue = "W0511", Warning, "a queue that a program uses and never initialises";
    BehindArray = "W0512", Warning, "an operand that reaches beyond its array";
    UnequalLengths = "W0513", Warning, "operands of unequal length";
    OtherElements = "W0514", Warning, "an operation on elements of another type than its array's";
    ConstantDestination = "W0515", Warning, "an operation that writes a constant";
    MaybeUndefined = "W0516", Warning, "a variable that may be read before it is written";
    ShiftTooFar = "W0517", Warning, "a shift by as many bits as the value has, or more";
    NarrowProduct = "W0518", Warning, "a product of fewer bits than the type that it is converted to";
    KeptLocal = "W0519", Warning, "the address of a local variable in a global one";
    NoColor = "W0520", Warning, "a fabric DSD without a color, on WSE-2";
    LeftOutMemcpy = "W0521", Warning, "a program that imports memcpy, compiled without --memcpy";
    SharedMicrothread = "W0522", Warning, "operations of two queues that have one microthread by default";
    NeverUnblocks = "W0523", Warning, "a function that the host can launch and that never unblocks the command stream";
    MisusedLibrary = "W0524", Warning, "a use of the standard library that cannot work";
    LostRemainder = "W0525", Warning, "a float made of a division of integers that leaves a remainder";
    EmptyRange = "W0526", Warning, "a range that counts the wrong way";
    SharedInput = "W0527", Warning, "a receive by the queue or color of a data task that nothing blocks";
    IdleCounter = "W0528", Warning, "a counting filter that lacks what it counts by";
    PackedSend = "W0529", Warning, "a send of 16-bit elements in pairs to a data task that takes one";
    WideStride = "W0530", Warning, "a stride that does not fit the guide's type for it";
    UnboundActivation = "W0531", Warning, "an activation of an id that nothing is bound to";
    ImpliedDereference = "W0532", Warning, "a field or an element of what a pointer leads to, without `.*`";
    NoFilter = "W0533", Warning, "the filter of a color that has none";
    LowAlignment = "W0534", Warning, "a FIFO in an array of less alignment than FIFOs need";
    OddParameter = "W0535", Warning, "a task parameter of an integer type without 16 or 32 bits";
    ColorOfOutput = "W0536", Warning, "a configuration of an output queue, on WSE-2";
    NoRegister = "W0537", Warning, "a configuration register at an address of memory";
    // E06xx: layout, exports and RPC.
    BadRectangle = "E0601", Error, "a rectangle that does not fit the fabric";
    TileCode = "E0602", Error, "a tile without code, or with two";
    BadRoute = "E0603", Error, "a color configuration that the router does not admit";
    RouteOffEdge = "W0604", Warning, "a route over the edge of the rectangle";
    BadExport = "E0605", Error, "an export that the layout contradicts or does not name";
    BadRpc = "E0606", Error, "an RPC server that cannot be built";
    NoLayout = "E0607", Error, "a program without a layout block";
    ExportNowhere = "W0608", Warning, "an exported name that no PE has";
    OtherColumn = "W0609", Warning, "the params of memcpy or <collectives_2d> for another PE";
    NoReceiver = "W0610", Warning, "a route to the ramp of PEs where nothing takes the color";
    SharedSymbol = "W0611", Warning, "one symbol name for two declarations of a program";
    SeveralLayouts = "E0612", Error, "a program with several layout blocks";
    // E07xx: memory.
    OutOfMemory = "E0701", Error, "a program that does not fit the memory of a PE";
    BadSection = "E0702", Error, "a link section or symbol that cannot be placed";
    NoSymbol = "W0703", Warning, "a link name or link section of what has no symbol";
    // E08xx: command line.
    BadArgument = "E0801", Error, "a command-line argument that cannot be used";
    IgnoredOption = "W0802", Warning, "an option that has no effect";
    // E09xx: at run time.
    RunFault = "E0901", Error, "something that stopped a PE while the program ran";
    Deadlock = "E0902", Error, "a run in which nothing can move any more";
    // W10xx: what works and is unwise, told by `waferlab lint`.
    UnusedImport = "W1001", Warning, "an import that nothing uses";
    UnusedFunction = "W1002", Warning, "a function or task that nothing uses";
    UnusedVariable = "W1003", Warning, "a variable or constant that nothing uses";
    UnusedParam = "W1004", Warning, "a param that nothing reads";
    UnusedQueue = "W1005", Warning, "a queue that is initialised and never used";
    NeverActivated = "W1006", Warning, "a local task that nothing activates";
    UnusedColor = "W1007", Warning, "a color with routes that no program uses";
    RouteToNowhere = "W1008", Warning, "a route to a neighbour that does not take the color";
    BlockingDataTask = "W1009", Warning, "a data task that waits for the fabric";
    DivisionInLoop = "W1010", Warning, "a division by the same f32 in every turn of a loop";
    ScalarLoop = "W1011", Warning, "a loop over arrays that one operation on DSDs would do";
    UnblockedAgain = "W1012", Warning, "a command stream that is unblocked more than once";
    // E0999: ourselves.
    Internal = "E0999", Error, "a fault of the compiler itself";
}
