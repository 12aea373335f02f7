//! What loosens waits for a second person, also where two acts of one person do it together, or only later; and what loosens
//! nothing waits for nobody.

use grace::engine::{Bundle, Input, State, adopt, step};
use grace::model::{
    Answer, Asked, By, Claim, ClaimKey, List, Meaning, ModeId, Request, Span, Spot, Time, expiry,
};

use crate::histories::bundle;

const START: Time = Time(1_900_000_000_000);

/// A rule's claim, by its key, for how long.
#[derive(Clone, Copy)]
enum Stands {
    Ever,
    Until,
    For(i64),
    Over,
}

fn claim(state: &mut State, (key, mode, stands): (&str, &str, Stands)) {
    let by = match key.split_once('/') {
        Some((rule, component)) => By::Rule { rule: rule.into(), component: component.into() },
        None => By::Person { actor: "uid:1000".into() },
    };
    let lasts = if let Stands::For(minutes) = stands { Some(Span::minutes(minutes)) } else { None };
    let claim = Claim {
        mode: mode.into(),
        by,
        reason: "a test".into(),
        since: START,
        spot: matches!(stands, Stands::Until).then_some(Spot { list: List::Do, index: 0 }),
        expires: expiry(START, lasts),
        over: matches!(stands, Stands::Over),
    };
    state.governed.claims.insert(ClaimKey::written(key), claim);
}

/// Is it done at once? Else it waits for a second person.
fn is_done(bundle: &Bundle, state: &mut State, request: Request, meaning: Meaning) -> bool {
    let asked = vec![Asked::by("uid:1000".into(), "a try".into(), request)];
    let now = state.now + Span::seconds(1);
    let input = Input { tick: state.tick + 1, now, asked, meaning, ..Input::default() };
    let next = step(bundle, state, &input);
    *state = next.state;
    match &next.answers[0].answer {
        Answer::Done { .. } => true,
        Answer::Waiting { .. } => false,
        other => panic!("{other:?}"),
    }
}

fn state(bundle: &Bundle, mode: &str, claims: &[(&str, &str, Stands)]) -> State {
    let mut state = adopt(bundle, None, &State::default(), START).state;
    for one in claims {
        claim(&mut state, *one);
    }
    state.governed.mode = ModeId::from(mode);
    state
}

fn mode(mode: &str, minutes: Option<i64>) -> Request {
    Request::SetMode { mode: mode.into(), lasts: minutes.map(Span::minutes), revision: None }
}

fn release(key: &str) -> Request {
    Request::Release { key: ClaimKey::written(key), revision: None }
}

const SUSPICIOUS: &str = "suspicious/database";

/// By two commands one operator ended what needs a second person: the first covered for a moment what the second ended.
#[test]
fn what_stands_a_shorter_time_covers_no_claim() {
    let bundle = bundle(&[]);
    let endless = [(SUSPICIOUS, "observation_only", Stands::Ever)];
    for (minutes, done) in [(Some(1), false), (None, true)] {
        let mut state = state(&bundle, "observation_only", &endless);
        let mut ask = |request| is_done(&bundle, &mut state, request, Meaning::VOTES);
        assert!(ask(mode("observation_only", minutes)), "it ends nothing");
        assert_eq!(ask(release(SUSPICIOUS)), done, "{minutes:?}");
        assert!(!ask(mode("normal", None)));
    }
    // As it was recorded.
    let mut before = state(&bundle, "observation_only", &endless);
    for request in [mode("observation_only", Some(1)), release(SUSPICIOUS)] {
        assert!(is_done(&bundle, &mut before, request, Meaning::VOID));
    }
}

/// The mode; the claims, as who claims which mode for how long; what is asked; and whether it waits for a second person.
///
/// A claim that a condition ends may be over at any moment, and so may one that is over already. A mode that no rule leaves
/// stands until a person ends it, whatever its time; another falls once that is over.
const TABLE: &str = "
read_only         person=read_only/ever  read_only/database=read_only/until           release person        waits
read_only         person=read_only/9     read_only/database=read_only/until           release person        waits
read_only         person=read_only/ever  read_only/database=read_only/until           mode normal           waits
read_only         person=read_only/ever  read_only/database=read_only/until           mode read_only 1      waits
read_only         person=read_only/ever  read_only/database=read_only/until           release read_only/database  done
read_only         person=read_only/9     read_only/database=read_only/until           release read_only/database  waits
read_only         person=read_only/9     read_only/database=read_only/over            release person        waits
read_only         person=read_only/9     read_only/database=read_only/5               release read_only/database  done
read_only         person=read_only/5     read_only/database=read_only/9               release read_only/database  waits
observation_only  person=read_only/ever  suspicious/database=observation_only/ever    release person        waits
read_only         person=read_only/120   mode emergency 30        done
read_only         person=read_only/ever  mode emergency 30        done
emergency         person=emergency/120   mode emergency 30        done
emergency         person=emergency/9     suspicious/database=observation_only/ever    release suspicious/database done
emergency         person=emergency/9     read_only/database=read_only/ever            release read_only/database  done
read_only         person=read_only/120   mode read_only 30        waits
read_only         person=read_only/30    mode read_only 120       done
";

#[test]
fn a_claim_is_covered_by_what_forbids_as_much_and_stands_as_long() {
    let bundle = bundle(&[]);
    for line in TABLE.lines().filter(|line| !line.is_empty()) {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        let (top, wanted) = (words.remove(0), words.pop());
        let (claims, request): (Vec<&str>, Vec<&str>) =
            words.into_iter().partition(|word| word.contains('='));
        let claims = claims.iter().map(|one| one.split_once('=').expect(line));
        let claims = claims.map(|(key, claim)| (key, claim.split_once('/').expect(line)));
        let claims: Vec<_> = claims.map(|(key, (mode, lasts))| (key, mode, stands(lasts))).collect();
        let request = match request[..] {
            ["release", key] => release(key),
            ["mode", to] => mode(to, None),
            ["mode", to, minutes] => mode(to, Some(minutes.parse().expect(line))),
            _ => panic!("{line}"),
        };
        let done = is_done(&bundle, &mut state(&bundle, top, &claims), request, Meaning::VOTES);
        assert_eq!(Some(if done { "done" } else { "waits" }), wanted, "{line}");
    }
}

fn stands(word: &str) -> Stands {
    match word {
        "ever" => Stands::Ever,
        "until" => Stands::Until,
        "over" => Stands::Over,
        minutes => Stands::For(minutes.parse().expect(minutes)),
    }
}

/// Where a rule's edge leads out of it, emergency is a mode as any other, and so is one that a looser one ranks above.
#[test]
fn a_mode_that_rules_leave_covers_only_what_ends_before_it() {
    let emergency = "writes = \"reject\", to = { rule = [], person = [\"*\"] } }";
    let left = "writes = \"reject\", to = { rule = [\"normal\"], person = [\"*\"] } }";
    let above = format!(
        "{emergency}\nmode.odd = {{ rank = 4, permits = [\"heal\"], to = {{ rule = [], person = [\"*\"] }} }}"
    );
    for to in [left, &above] {
        let bundle = bundle(&[("policies/modes.toml", emergency, to)]);
        let mut state = state(&bundle, "read_only", &[("person", "read_only", Stands::For(120))]);
        assert!(!is_done(&bundle, &mut state, mode("emergency", Some(30)), Meaning::VOTES), "{to}");
        assert!(is_done(&bundle, &mut state, mode("emergency", Some(180)), Meaning::VOTES), "{to}");
    }
}

/// Files can let the end of what somebody stopped wait for a second person, and not its begin.
#[test]
fn the_end_of_a_hold_a_silence_or_a_block_is_not_stricter() {
    let line = "policy.manual_mode ";
    let review = format!(
        "policy.ends = {{ by = \"person\", action = [\"hold\", \"silence\", \"unblock\", \"token\"], when = '!action.stricter', \
         effect = \"review\", approvers = 1, expires = \"15m\" }}\n{line}"
    );
    let loosely = bundle(&[]);
    let tightly = bundle(&[("policies/governance.toml", line, &review)]);
    let component = || Some("database".into());
    let block =
        grace::govern::Block { since: START, by: By::Person { actor: "uid:1".into() }, reason: "x".into() };
    for meaning in [Meaning::VOID, Meaning::VOTES] {
        for (bundle, waits) in [(&loosely, false), (&tightly, meaning == Meaning::VOTES)] {
            let mut state = state(bundle, "normal", &[]);
            state.governed.blocks.insert("database".into(), block.clone());
            let mut ask = |request| is_done(bundle, &mut state, request, meaning);
            assert!(ask(Request::Hold { component: component(), lasts: None }));
            assert!(ask(Request::Silence { component: component(), lasts: None }));
            for request in [
                Request::EndHold { component: component() },
                Request::EndSilence { component: component() },
                Request::Unblock { component: "database".into() },
            ] {
                let about = format!("{meaning:?} {request:?}");
                assert_eq!(!ask(request), waits, "{about}");
            }
        }
    }
}
