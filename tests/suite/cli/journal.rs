//! `pointgate link`, `forget` and `journal`: what operators change beside points, and the records of it.

use entity::{action, follow, member, payment};
use sea_orm::{EntityTrait, IntoActiveModel, QueryOrder, Set};

use super::copy::fixture::{dirs_on_every_database, open, rows};
use crate::older::recount;
use crate::osx::client::{COMMUNITY, sign_query};
use crate::program::{CONFIG, Client, Program, ProgramDir, text};

#[track_caller]
fn run(dir: &ProgramDir, arguments: &[&str]) -> Result<String, String> {
    let out = dir.run(arguments);
    match out.status.code() {
        Some(0) => Ok(text(&out.stdout)),
        Some(1) => Err(text(&out.stderr)),
        code => panic!("{arguments:?}: {code:?} {}", text(&out.stderr)),
    }
}

/// The words of each record: number, day, time, kind, user, request id, details and hash; without the line that counts them.
#[track_caller]
fn records(dir: &ProgramDir) -> Vec<Vec<String>> {
    let listed = run(dir, &["journal"]).unwrap();
    let mut lines: Vec<&str> = listed.lines().collect();
    let count = lines.pop().unwrap();
    assert_eq!(count, format!("{} records", lines.len()));
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
    lines.into_iter().map(words).collect()
}

async fn insert(dir: &ProgramDir, members: &[member::Model], follows: &[i64]) {
    let db = open(&dir.database_url()).await;
    for member in members {
        let row = member::Entity::insert(member.clone().into_active_model());
        row.exec_without_returning(&db).await.unwrap();
    }
    for &member_id in follows {
        let row = follow::Model {
            member_id,
            account: "shop".into(),
            at: 0,
        };
        let row = follow::Entity::insert(row.into_active_model());
        row.exec_without_returning(&db).await.unwrap();
    }
    db.close().await.unwrap();
}

fn whole_member(id: i64, uid: Option<i64>, key: Option<&str>) -> member::Model {
    let text = |text: &str| Some(format!("{text} of {id}"));
    member::Model {
        id,
        uid,
        user_key: key.map(str::to_owned),
        nickname: text("nickname"),
        phone: text("phone"),
        avatar: text("avatar"),
        real_name: text("name"),
        sex: Some(1),
        birthday: Some(1),
        qq: text("qq"),
        signature: text("signature"),
        location: text("location"),
        height: text("height"),
        begin_weight: text("weight"),
        light_until: Some(1),
    }
}

async fn user_info(client: &Client, key: &str) -> String {
    let end = jiff::Timestamp::now().as_second() + 60;
    let query = format!("user_token={key}&appKey=testappkey&endtimestamp={end}");
    let path = format!("/getUserInfo?{}", sign_query(&query));
    client.get(&path).await.unwrap().text
}

const ALL: &str = "actions, avatar, begin_weight, birthday, follows, height, light_until, location, nickname, payments, phone, qq, \
    real_name, sex, signature";

fn action_of(id: i64, owner: &str, other: Option<&str>) -> action::Model {
    let key = u8::try_from(id).unwrap();
    action::Model {
        id,
        action_key: vec![key; 16],
        identity_key: None,
        token: format!("token {id}"),
        owner: owner.into(),
        name: "like".into(),
        other: other.map(str::to_owned),
        object: Some(format!("object {id}")),
        // The server that runs beside would erase the details of an old one.
        at: i64::MAX,
        scored: 1,
    }
}

/// Actions by and with the two whose profiles go, and payments by them; and one of each by another one.
async fn insert_actions_and_payments(dir: &ProgramDir) {
    let db = open(&dir.database_url()).await;
    for action in [
        action_of(1, "key:five", None),
        action_of(2, "uid:5", Some("key:seven")),
        action_of(3, "key:seven", Some("key:five")),
        action_of(4, "key:seven", Some("key:six")),
        action_of(5, "key:six", None),
        action_of(6, "key:seven", Some("key:fivefold")),
    ] {
        let row = action::Entity::insert(action.into_active_model());
        row.exec_without_returning(&db).await.unwrap();
    }
    for (seq, payer) in ["five", "six", "seven"].into_iter().enumerate() {
        let payment = payment::ActiveModel {
            event_id: Set(payer.into()),
            kind: Set("charge.succeeded".into()),
            order_no: Set(Some("order".into())),
            user_key: Set(Some(payer.into())),
            at: Set(0),
            subject: Set("charge".into()),
            subject_seq: Set(i64::try_from(seq).unwrap()),
            ..Default::default()
        };
        let row = payment::Entity::insert(payment);
        row.exec_without_returning(&db).await.unwrap();
    }
    recount(&db).await;
    db.close().await.unwrap();
}

/// What `forget` leaves of those: of an action its owner, kind and time, of a payment all but the payer.
async fn assert_nothing_personal_left(dir: &ProgramDir) {
    let db = open(&dir.database_url()).await;
    let actions = action::Entity::find().order_by_asc(action::Column::Id);
    for action in actions.all(&db).await.unwrap() {
        let id = action.id;
        let whole = action_of(id, &action.owner, Some("key:fivefold"));
        if id == 6 {
            assert_eq!(action, whole);
            continue;
        }
        let other = action_of(id, &action.owner, None);
        let bare = action::Model {
            identity_key: action.identity_key.clone(),
            token: String::new(),
            object: None,
            ..other
        };
        assert!(action.identity_key.is_some());
        assert_eq!(action, bare);
    }
    let payments = payment::Entity::find().order_by_asc(payment::Column::SubjectSeq);
    let payments = payments.all(&db).await.unwrap();
    let payers: Vec<_> = payments.iter().map(|it| it.user_key.as_deref()).collect();
    assert_eq!(payers, [None, None, Some("seven")]);
    assert!(payments.iter().all(|it| it.order_no.is_some()));
    db.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_erased_and_the_journal_says_so() {
    for dir in dirs_on_every_database() {
        let program = Program::start(&dir, &[]).await;
        let client = program.client();
        let members = [
            whole_member(100, Some(5), Some("five")),
            whole_member(101, None, Some("six")),
        ];
        insert(&dir, &members, &[100, 101]).await;
        let other = [whole_member(102, None, Some("seven"))];
        insert(&dir, &other, &[102]).await;
        insert_actions_and_payments(&dir).await;
        let earned = [
            ("method", "app.yohocoin.get"),
            ("uid", "5"),
            ("num", "100"),
            ("type", "18"),
            ("referenceId", "r"),
        ];
        client.call_ok(&earned).await;
        let before = rows(&dir.database_url()).await;
        let bare = user_info(&client, "nobody").await;
        for (owner, key) in [("uid:5", "five"), ("key:six", "six")] {
            let known = user_info(&client, key).await;
            assert!(known.contains("nickname of 10"), "{known}");
            let would = run(&dir, &["forget", owner]).unwrap();
            let expected =
                format!("would erase what is known of {owner}: {ALL}; --yes erases it\n");
            assert_eq!(would, expected);
            assert_eq!(user_info(&client, key).await, known);
            let erased = run(&dir, &["forget", "--yes", owner]).unwrap();
            assert_eq!(erased, format!("erased what is known of {owner}: {ALL}\n"));
            assert_eq!(user_info(&client, key).await, bare.replace("nobody", key));
            for again in [["forget", "--yes", owner], ["forget", owner, "--yes"]] {
                let none = format!("{owner} has nothing to erase\n");
                assert_eq!(run(&dir, &again).unwrap(), none);
            }
            let dry = run(&dir, &["forget", owner]).unwrap();
            assert_eq!(dry, format!("{owner} has nothing to erase\n"));
        }
        let records = records(&dir);
        assert_eq!(records.len(), 2);
        let kinds = ALL.replace(", ", "\",\"");
        for (record, owner) in records.iter().zip(["uid:5", "key:six"]) {
            assert_eq!(record[3], "forget");
            let details = format!(r#"{{"erased":["{kinds}"],"owner":"{owner}"}}"#);
            assert_eq!(record[6], details);
        }
        assert_nothing_personal_left(&dir).await;
        // The linked names, the other member and everything else stay.
        let after = rows(&dir.database_url()).await;
        let linked = member::Model {
            id: 100,
            uid: Some(5),
            user_key: Some("five".into()),
            ..member::Model::default()
        };
        let left = [linked, whole_member(102, None, Some("seven"))];
        assert_eq!(after["member"], left.map(|member| format!("{member:?}")));
        assert_eq!(after["follow"].len(), 1);
        for table in ["account", "entry", "lot", "contra", "identity"] {
            assert_eq!(after[table], before[table], "{table}");
        }
        program.audit();
        // A later message begins a new profile, which can be erased too.
        let described = [
            ("method", "status.update_profile"),
            ("user_key", "six"),
            ("description", "back"),
        ];
        client.call_ok(&described).await;
        let erased = run(&dir, &["forget", "key:six", "--yes"]).unwrap();
        assert_eq!(erased, "erased what is known of key:six: signature\n");
        program.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_owner_is_an_error() {
    for dir in dirs_on_every_database() {
        let none = run(&dir, &["forget", "uid:5"]);
        if dir.database_url().starts_with("sqlite") {
            assert!(none.unwrap_err().contains("there is no ledger at "));
            assert!(!dir.path("data").exists(), "it made a ledger");
        }
        run(&dir, &["migrate"]).unwrap();
        let account = Program::start(&dir, &[]).await;
        let earned = [
            ("method", "app.yohocoin.get"),
            ("uid", "6"),
            ("num", "100"),
            ("type", "18"),
            ("referenceId", "r"),
        ];
        account.client().call_ok(&earned).await;
        for yes in [&["--yes"][..], &[]] {
            let forget = |owner: &str| run(&dir, &[&["forget", owner], yes].concat());
            for owner in ["uid:5", "key:5", "key:uid:6"] {
                let why = format!("cannot forget: {owner} has neither a profile nor an account\n");
                let error = forget(owner).unwrap_err();
                assert!(error.contains(&why), "{error}");
            }
            for owner in [
                "5", "", "uid:", "uid:0", "uid:05", "uid:+5", "uid:x", "key:", "id:5",
            ] {
                let error = forget(owner).unwrap_err();
                let why = "an owner is uid:N or key:K, as in uid:5\n";
                assert!(error.contains(why), "{owner}: {error}");
            }
            // It has points and nothing to erase.
            let known = forget("uid:6").unwrap();
            assert_eq!(known, "uid:6 has nothing to erase\n");
        }
        assert_eq!(records(&dir), [[""; 0]; 0]);
        account.audit();
    }
}

#[test]
fn each_link_has_one_record() {
    let user = std::process::Command::new("id").arg("-ur").output();
    let user = format!("uid:{}", text(&user.unwrap().stdout).trim());
    for dir in dirs_on_every_database() {
        let link = |uid: &str, key: &str| run(&dir, &["link", "--uid", uid, "--user-key", key]);
        let first = dir.run(&["link", "--uid", "5", "--user-key", "five"]);
        let log = text(&first.stderr);
        link("5", "five").unwrap();
        link("5", "six").unwrap_err();
        link("6", "five").unwrap_err();
        link("7", "seven").unwrap();
        let records = records(&dir);
        assert_eq!(records.len(), 2, "{records:?}");
        let [first, second] = &records[..] else {
            panic!("{records:?}");
        };
        assert_eq!((first[0].as_str(), second[0].as_str()), ("1", "2"));
        assert_eq!([&first[3], &first[4]], ["link", &user]);
        assert!(log.contains(&format!("id={}", first[5])), "{log}");
        assert_eq!(first[6], r#"{"name":"key:five","owner":"uid:5"}"#);
        assert_eq!(first[7].len(), 64);
        assert_ne!(first[5], second[5], "each command has its request id");
        run(&dir, &["audit"]).unwrap();
    }
}

/// Stored text cannot steer the terminal.
#[tokio::test(flavor = "multi_thread")]
async fn control_characters_are_escaped() {
    let dir = ProgramDir::with_config(&format!("{CONFIG}{COMMUNITY}")).on_sqlite();
    run(&dir, &["migrate"]).unwrap();
    let key = "\u{1b}[2J\u{9b}31m";
    insert(&dir, &[whole_member(1, None, Some(key))], &[]).await;
    let owner = format!("key:{key}");
    let erased = run(&dir, &["forget", "--yes", &owner]).unwrap();
    let shown = "erased what is known of key:\\u{1b}[2J\\u{9b}31m: avatar, ";
    assert!(erased.starts_with(shown), "{erased}");
    let listed = run(&dir, &["journal"]).unwrap();
    let shown = r#""owner":"key:\u001b[2J\u{9b}31m"}"#;
    assert!(listed.contains(shown), "{listed}");
}

/// Whichever comes first, each process finds the end of the journal that the other one wrote.
#[test]
fn processes_that_link_at_once_keep_the_chain_whole() {
    const PROCESSES: usize = 8;
    for dir in dirs_on_every_database() {
        run(&dir, &["migrate"]).unwrap();
        let link = |uid: usize| {
            let (uid, key) = (uid.to_string(), format!("k{uid}"));
            dir.spawn(&["link", "--uid", &uid, "--user-key", &key], &[])
        };
        let children: Vec<_> = (1..=PROCESSES).map(link).collect();
        for child in children {
            let out = child.wait_with_output().unwrap();
            assert!(out.status.success(), "{}", text(&out.stderr));
        }
        let mut names: Vec<String> = records(&dir)
            .iter()
            .map(|record| record[6].clone())
            .collect();
        names.sort_unstable();
        let expected = |uid| format!(r#"{{"name":"key:k{uid}","owner":"uid:{uid}"}}"#);
        assert_eq!(names, (1..=PROCESSES).map(expected).collect::<Vec<_>>());
        run(&dir, &["audit"]).unwrap();
    }
}
