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
    Circle = 4001, "components depend on each other in a circle";
    LowestMode = 4002, "a rule claims the lowest mode";
    NothingToDo = 4003, "a rule does nothing";
    Unverifiable = 4004, "a window or delay that cannot work";
    NoControl = 4005, "nothing knows how to do that to the component";
    EmptyTest = 5001, "a test file without a test that expects something";
    LiveProgram = 6001, "a program is not there or cannot be run";
    LiveUser = 6002, "Grace may not do that to or as this user";
    LiveDirectory = 6003, "a directory cannot be used";
    LivePort = 6004, "nothing answers where something should";
    LiveSetting = 6005, "a setting cannot be read from where it stands";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GR{}", self.number())
    }
}
