//! Every combination, with the answer that is wanted written out by another rule than the code's.

use super::*;
use uuid::Uuid;

const IDENTITYS: UserId = UserId(Uuid::from_u128(1));
const ADDRESSS: UserId = UserId(Uuid::from_u128(2));

fn standings() -> [Standing; 3] {
    [
        Standing::Good,
        Standing::Banned(DateTime::UNIX_EPOCH),
        Standing::Deleted,
    ]
}

/// Nobody, and every sort of account.
fn candidates(user: UserId) -> Vec<Option<Candidate>> {
    let mut all = vec![None];
    for standing in standings() {
        for email_proved in [false, true] {
            all.push(Some(Candidate {
                user,
                standing,
                email_proved,
            }));
        }
    }
    all
}

/// Letters: `-` nobody, `g` good, `b` banned, `d` deleted; a capital has proved its address.
fn letter(candidate: Option<Candidate>) -> char {
    let Some(candidate) = candidate else {
        return '-';
    };
    let letter = match candidate.standing {
        Standing::Good => 'g',
        Standing::Banned(_) => 'b',
        Standing::Deleted => 'd',
    };
    if candidate.email_proved {
        letter.to_ascii_uppercase()
    } else {
        letter
    }
}

/// One row for each account that has the identity, one column for each account that has the
/// address: `s` sign in, `j` join, `c` claim, `n` new, `B` banned, `D` deleted, `U` unverified.
const VERIFIED: [(char, &str); 7] = [
    //      -gGbBdD
    ('-', "ncjBBDD"),
    ('g', "sssssss"),
    ('G', "sssssss"),
    ('b', "BBBBBBB"),
    ('B', "BBBBBBB"),
    ('d', "DDDDDDD"),
    ('D', "DDDDDDD"),
];
const UNVERIFIED: [(char, &str); 7] = [
    ('-', "UUUUUUU"),
    ('g', "sssssss"),
    ('G', "sssssss"),
    ('b', "BBBBBBB"),
    ('B', "BBBBBBB"),
    ('d', "DDDDDDD"),
    ('D', "DDDDDDD"),
];

#[test]
fn every_combination_has_its_decision() {
    let mut tried = 0;
    for (email_verified, table) in [(true, VERIFIED), (false, UNVERIFIED)] {
        for known in candidates(IDENTITYS) {
            let (_, row) = table
                .into_iter()
                .find(|(name, _)| *name == letter(known))
                .unwrap();
            for namesake in candidates(ADDRESSS) {
                let column = "-gGbBdD".find(letter(namesake)).unwrap();
                let wanted = match row.as_bytes()[column] {
                    b's' => Decision::SignIn(IDENTITYS),
                    b'j' => Decision::Join(ADDRESSS),
                    b'c' => Decision::Claim(ADDRESSS),
                    b'n' => Decision::Create,
                    b'B' => Decision::Refuse(Refusal::Banned(DateTime::UNIX_EPOCH)),
                    b'D' => Decision::Refuse(Refusal::Deleted),
                    _ => Decision::Refuse(Refusal::EmailUnverified),
                };
                let case = (known, namesake, email_verified);
                assert_eq!(decide(known, namesake, email_verified), wanted, "{case:?}");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 2 * 7 * 7);
}

#[test]
fn an_identity_is_added_to_one_account_only() {
    assert_eq!(add(None, ADDRESSS), Addition::Add);
    assert_eq!(add(Some(ADDRESSS), ADDRESSS), Addition::AlreadyThere);
    assert_eq!(add(Some(IDENTITYS), ADDRESSS), Addition::Taken);
}
