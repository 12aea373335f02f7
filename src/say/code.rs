//! The stable code of each kind of problem. A code is never given to another problem.

use std::fmt;

/// Declares the codes with their numbers and titles.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $title:literal;)*) => {
        /// What is wrong, as a code that scripts and people can rely on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $title] $(#[$doc])* $name,)*
        }

        impl Code {
            /// All codes.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its number.
            #[must_use]
            pub fn number(self) -> u16 {
                match self { $(Self::$name => $number,)* }
            }

            /// What it means, in few words.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// Its page: what it is, why it matters, how it looks wrong and right; Markdown.
            #[must_use]
            pub fn page(self) -> &'static str {
                match self {
                    $(Self::$name => include_str!(concat!("pages/GR", stringify!($number), ".md")),)*
                }
            }
        }
    };
}

codes! {
    NoRules = 1001, "there are no rule files";
    Unreadable = 1002, "a file or folder cannot be read";
    TooLarge = 1003, "a file is too large";
    NotUtf8 = 1004, "a file is not UTF-8";
    UnsafeFile = 1005, "others could have written the file";
    GroupWritable = 1006, "the file's group can write it";
    NotAFile = 1007, "not a regular file";
    CutOff = 1008, "the file looks cut off";
    Syntax = 2001, "not valid TOML";
    UnknownKey = 2002, "unknown key";
    MissingKey = 2003, "a key is missing";
    WrongType = 2004, "a value has the wrong type";
    BadValue = 2005, "a value cannot be used";
    BadName = 2006, "a name cannot be used";
    Duplicate = 2007, "declared twice";
    UnknownComponent = 2101, "unknown component";
    UnknownMode = 2102, "unknown mode";
    UnknownFact = 2103, "unknown name in a condition";
    UnknownReceiver = 2104, "unknown receiver";
    UnknownAction = 2105, "unknown action";
    UnknownFunction = 2106, "unknown function in a condition";
    UnknownKind = 2107, "unknown kind";
    ConditionSyntax = 3001, "the condition is not a Rhai expression";
    NotAllowed = 3002, "not allowed in a condition";
    TypeMismatch = 3003, "types do not fit";
    UnitMismatch = 3004, "units do not fit";
    TooLong = 3005, "the condition is too long";
    IntegerDivision = 3006, "a division of counts drops the rest";
    NeverThatWord = 3007, "compared with a word that it never is";
    NeverTrue = 3008, "a condition that can never be true";
    AlwaysTrue = 3009, "a condition that is always true";
    Shadowed = 3010, "a warning that is never reached";
    Circle = 4001, "components depend on each other in a circle";
    LowestMode = 4002, "a rule claims the lowest mode";
    NothingToDo = 4003, "a rule does nothing";
    Unverifiable = 4004, "a window or delay that cannot work";
    NoControl = 4005, "nothing knows how to do that to the component";
    BelowTick = 4101, "a duration that is shorter than a tick";
    OutOfReach = 4102, "more tries than the budgets allow";
    SlowVerification = 4103, "a verification that outlasts the backoff";
    SlowProbe = 4104, "a probe that may take longer than a tick";
    HiddenBudget = 4105, "a budget that a tighter one hides";
    NoVerification = 4201, "a heal act without a verification";
    NothingAllows = 4202, "nothing allows what a rule wants";
    Undoing = 4203, "an act that takes back another, or itself";
    HiddenPolicy = 4204, "a policy that never decides anything";
    FutileChange = 4205, "a recommended change that nothing can take";
    UnreachableMode = 4301, "a mode that is never reached";
    NoWayOut = 4302, "no way out of a mode";
    DeadEdge = 4303, "an edge that can never be taken";
    EndlessClaim = 4304, "a claim that never ends";
    Oscillation = 4305, "a mode that is claimed and given back at the same time";
    FutileClaim = 4306, "a claim that can never become the mode";
    NobodyDecides = 4307, "nobody may decide what has to be approved";
    EmptyTest = 5001, "a test file without a test that expects something";
    LiveProgram = 6001, "a program is not there or cannot be run";
    LiveUser = 6002, "Grace may not do that to or as this user";
    LiveDirectory = 6003, "a directory cannot be used";
    LivePort = 6004, "nothing answers where something should";
    LiveSetting = 6005, "a setting cannot be read from where it stands";
    UnusedAllowance = 7001, "an allowance that allows nothing";
    BadAllowance = 7002, "an allowance that cannot be understood";
}

impl Code {
    /// Is it a warning about what a file means, that a comment in it can allow?
    #[must_use]
    pub fn can_be_allowed(self) -> bool {
        let of_meaning = (4100..4400).contains(&self.number()) && self != Self::NoWayOut;
        of_meaning || matches!(self, Self::AlwaysTrue | Self::Shadowed)
    }
}

impl std::str::FromStr for Code {
    type Err = String;

    /// A code as people write it: `GR2103`; the letters may be small, or left out.
    fn from_str(text: &str) -> Result<Self, String> {
        let word = text.trim().to_ascii_uppercase();
        let digits = word.strip_prefix("GR").unwrap_or(&word);
        let found = Self::ALL.iter().find(|code| code.number().to_string() == digits);
        found.copied().ok_or_else(|| {
            let known: Vec<String> = Self::ALL.iter().map(ToString::to_string).collect();
            super::suggest(&format!("GR{digits}"), known.iter().map(String::as_str))
        })
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GR{}", self.number())
    }
}
