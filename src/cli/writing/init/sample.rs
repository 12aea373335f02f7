//! What `grace init --print` prints: samples that are the same for everybody, and the files of one service.

use clap::ValueEnum;
use clap::builder::PossibleValue;

/// What can be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sample {
    Rules,
    Test,
    PreCommit,
    Github,
    Gitlab,
    Tombi,
    Taplo,
}

/// What a printed text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The same for everybody: where it goes, and the text.
    Fixed(&'static str, &'static str),
    /// Of a service: its file's name is the service's with this behind it.
    Made(&'static str),
}

impl Sample {
    pub(super) fn source(self) -> Source {
        match self {
            Self::Rules => Source::Made(".toml"),
            Self::Test => Source::Made(".test.toml"),
            Self::PreCommit => Source::Fixed(".pre-commit-config.yaml", include_str!("set/pre-commit.yaml")),
            Self::Github => Source::Fixed(".github/workflows/grace.yml", include_str!("set/github.yaml")),
            Self::Gitlab => Source::Fixed(".gitlab-ci.yml", include_str!("set/gitlab.yaml")),
            Self::Tombi => Source::Fixed(TOMBI.0, TOMBI.1),
            Self::Taplo => Source::Fixed(TAPLO.0, TAPLO.1),
        }
    }
}

/// Lets editors with tombi find the schemas.
pub(super) const TOMBI: (&str, &str) = ("tombi.toml", include_str!("set/tombi.toml"));

/// Lets editors with taplo find the schemas.
pub(super) const TAPLO: (&str, &str) = (".taplo.toml", include_str!("set/taplo.toml"));

impl ValueEnum for Sample {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Rules, Self::Test, Self::PreCommit, Self::Github, Self::Gitlab, Self::Tombi, Self::Taplo]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (word, says) = match self {
            Self::Rules => ("rules", "rules/NAME.toml of the service: a further one for a set that is there"),
            Self::Test => ("test", "rules/NAME.test.toml of the service"),
            Self::PreCommit => {
                ("pre-commit", ".pre-commit-config.yaml: form, validity and tests before a commit")
            }
            Self::Github => ("github", ".github/workflows/grace.yml"),
            Self::Gitlab => ("gitlab", ".gitlab-ci.yml"),
            Self::Tombi => ("tombi", "tombi.toml: lets editors with tombi find the schemas"),
            Self::Taplo => ("taplo", ".taplo.toml: lets editors with taplo find the schemas"),
        };
        Some(PossibleValue::new(word).help(says))
    }
}
