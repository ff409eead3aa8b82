//! A restore stopped after each of its steps, and what the next call makes of it.

use super::decision::{self, Step};
use super::steps::{empty, install, move_away, undo};
use super::{inner, recover, recover_if_possible, Staging, DECIDED, STAGING, TAKEN_BACK};
use crate::error::During;
use crate::ops::backup::lock;
use std::fs;
use std::mem::forget;
use std::os::unix::fs::{symlink, PermissionsExt};
use std::path::{Path, PathBuf};

struct Base(PathBuf);

impl Base {
    /// A base with an old tree.
    fn new(name: &str) -> Self {
        let base = std::env::temp_dir().join(format!("reedbackup-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&base);
        for folder in ["tables", "indices"] {
            fs::create_dir_all(base.join(folder)).unwrap();
            fs::write(base.join(folder).join("old"), "old").unwrap();
        }
        Base(base)
    }

    /// A restored tree beside it, not decided on.
    fn staged(&self) -> Staging {
        let staging = Staging::new(&self.0).unwrap();
        for folder in ["tables", "indices"] {
            fs::create_dir(staging.tree().join(folder)).unwrap();
            fs::write(staging.tree().join(folder).join("new"), "new").unwrap();
        }
        staging
    }

    /// Decides on the staged tree.
    fn decide(&self) {
        let text = decision::text(&self.0, true).unwrap();
        fs::write(self.0.join(STAGING).join(DECIDED), text).unwrap();
    }

    /// What is decided about one of the two folders.
    fn step(&self, folder: &str) -> Step {
        let steps = decision::read(&self.0).unwrap();
        steps.into_iter().find(|step| step.live(&self.0).ends_with(folder)).unwrap()
    }

    /// Every path below the base, sorted.
    fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        let mut folders = vec![self.0.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                paths.push(path.strip_prefix(&self.0).unwrap().to_str().unwrap().to_owned());
                folders.extend(path.is_dir().then_some(path));
            }
        }
        paths.sort();
        paths
    }
}

impl Drop for Base {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const OLD: [&str; 4] = ["indices", "indices/old", "tables", "tables/old"];
const NEW: [&str; 4] = ["indices", "indices/new", "tables", "tables/new"];

/// The renames of a swap, in order.
fn steps() -> Vec<fn(&Base)> {
    vec![
        |base| move_away(&base.0, &base.step("tables")).unwrap(),
        |base| install(&base.0, &base.step("tables")).unwrap(),
        |base| move_away(&base.0, &base.step("indices")).unwrap(),
        |base| install(&base.0, &base.step("indices")).unwrap(),
    ]
}

#[test]
fn a_swap_leaves_the_new_tree_and_nothing_else() {
    let base = Base::new("swap");
    base.staged().swap_in(true).unwrap();
    assert_eq!(base.paths(), NEW);
}

#[test]
fn a_backup_without_indices_takes_the_live_ones_away() {
    let base = Base::new("remove");
    let staging = base.staged();
    fs::remove_dir_all(staging.tree().join("indices")).unwrap();
    staging.swap_in(false).unwrap();
    assert_eq!(base.paths(), ["tables", "tables/new"]);
}

#[test]
fn before_the_decision_the_old_tree_stays() {
    let base = Base::new("undecided");
    forget(base.staged());
    recover_if_possible(&base.0).unwrap();
    assert!(base.0.join(STAGING).exists(), "list clears nothing away");
    recover(&base.0).unwrap();
    assert_eq!(base.paths(), OLD);
    drop(base.staged());
    assert_eq!(base.paths(), OLD);
}

#[test]
fn after_the_decision_the_next_call_finishes_from_any_step() {
    for done in 0..=steps().len() {
        let base = Base::new("decided");
        forget(base.staged());
        base.decide();
        steps()[..done].iter().for_each(|step| step(&base));
        recover(&base.0).unwrap();
        assert_eq!(base.paths(), NEW, "after {done} steps");
    }
}

#[test]
fn listing_finishes_a_decided_restore_too() {
    let base = Base::new("list");
    forget(base.staged());
    base.decide();
    recover_if_possible(&base.0).unwrap();
    let live: Vec<_> = base.paths().into_iter().filter(|path| !path.starts_with('.')).collect();
    assert_eq!(live, NEW);
}

#[test]
fn listing_leaves_a_restore_that_is_under_way_alone() {
    let base = Base::new("busy");
    forget(base.staged());
    base.decide();
    let before = base.paths();
    let _held = lock::base(&base.0).unwrap();
    recover_if_possible(&base.0).unwrap();
    assert_eq!(base.paths(), before);
}

#[test]
fn finishing_removes_what_a_writer_made_in_between() {
    let base = Base::new("between");
    forget(base.staged());
    base.decide();
    steps()[0](&base);
    fs::create_dir(base.0.join("tables")).unwrap();
    fs::write(base.0.join("tables/between"), "").unwrap();
    recover(&base.0).unwrap();
    assert_eq!(base.paths(), NEW);
}

#[test]
fn a_swap_that_fails_puts_the_old_tree_back() {
    let base = Base::new("undo");
    let staging = base.staged();
    // The first rename has nowhere to go.
    fs::remove_dir(base.0.join(STAGING).join("old")).unwrap();
    assert!(staging.swap_in(true).is_err());
    assert_eq!(base.paths(), OLD);
}

#[test]
fn a_decision_that_is_not_understood_changes_nothing() {
    let base = Base::new("unknown");
    forget(base.staged());
    fs::write(base.0.join(STAGING).join(DECIDED), "tables explode\n").unwrap();
    let before = base.paths();
    assert!(recover(&base.0).is_err());
    assert_eq!(base.paths(), before);
}

/// The same where the live folder has to stay where it is, as a mount point has.
fn steps_in_place() -> Vec<fn(&Base)> {
    vec![
        |base| inner::note(&base.0, &base.step("tables")).unwrap(),
        |base| fs::create_dir(base.step("tables").old(&base.0)).unwrap(),
        |base| {
            let old = base.step("tables").old(&base.0).join("old");
            fs::rename(base.0.join("tables/old"), old).unwrap();
        },
        |base| empty(&base.0, &base.step("tables")).unwrap(),
        |base| install(&base.0, &base.step("tables")).unwrap(),
    ]
}

#[test]
fn a_folder_that_has_to_stay_is_finished_or_taken_back_from_any_step() {
    for done in 0..=steps_in_place().len() {
        for (way_out, expected) in
            [(recover as fn(&_) -> _, NEW), (|base| undo(base).during("undo", base), OLD)]
        {
            let base = Base::new("in-place");
            forget(base.staged());
            base.decide();
            steps_in_place()[..done].iter().for_each(|step| step(&base));
            way_out(&base.0).unwrap();
            let live: Vec<_> =
                base.paths().into_iter().filter(|path| !path.starts_with('.')).collect();
            assert_eq!(live, expected, "after {done} steps");
        }
    }
}

#[test]
fn folders_that_were_opened_up_are_as_they_were_whoever_comes_next() {
    let set_mode = |folder: &Path, mode| {
        fs::create_dir_all(folder).unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
    };
    for (way_out, expected) in
        [(recover as fn(&_) -> _, 0o550), (|base| undo(base).during("undo", base), 0o555)]
    {
        let base = Base::new("opened-up");
        let closed = base.0.join("tables/closed");
        set_mode(&closed, 0o555);
        let staging = base.staged();
        set_mode(&staging.tree().join("tables/closed"), 0o550);
        forget(staging);
        base.decide();
        let step = base.step("tables");
        inner::note(&base.0, &step).unwrap();
        // Killed while what they hold was moved.
        for opened in [step.live(&base.0), step.old(&base.0), step.restored(&base.0)] {
            set_mode(&opened.join("closed"), 0o755);
        }
        way_out(&base.0).unwrap();
        let mode = closed.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, expected, "{mode:o}");
    }
}

#[test]
fn what_others_plant_under_the_names_of_a_restore_is_not_followed() {
    for name in ["", "old", "new", DECIDED] {
        let base = Base::new("planted");
        let outside = Base::new("planted-outside");
        let planted = match name {
            "" => base.0.join(STAGING),
            name => base.0.join(STAGING).join(name),
        };
        fs::create_dir_all(planted.parent().unwrap()).unwrap();
        symlink(&outside.0, planted).unwrap();
        recover(&base.0).unwrap();
        base.staged().swap_in(true).unwrap();
        assert_eq!(base.paths(), NEW, "{name}");
        assert_eq!(outside.paths(), OLD, "{name}");
    }
}

#[test]
fn an_old_tree_whose_restore_was_changed_by_others_is_not_thrown_away() {
    let base = Base::new("changed");
    forget(base.staged());
    base.decide();
    steps()[0](&base);
    fs::rename(base.0.join(STAGING).join("new"), base.0.join("elsewhere")).unwrap();
    let before = base.paths();
    assert!(recover(&base.0).is_err());
    assert_eq!(base.paths(), before);
}

#[test]
fn a_restore_that_failed_is_taken_back_by_the_next_call_where_it_could_not_be_at_once() {
    let marks: [fn(PathBuf, PathBuf); 2] = [
        |decided, mark| fs::rename(decided, mark).unwrap(),
        |_, mark| fs::write(mark, "").unwrap(),
    ];
    for mark in marks {
        for done in 0..=steps().len() {
            let base = Base::new("taken-back");
            let staged = base.staged();
            base.decide();
            steps().into_iter().take(done).for_each(|step| step(&base));
            let folder = base.0.join(STAGING);
            mark(folder.join(DECIDED), folder.join(TAKEN_BACK));
            drop(staged);
            recover_if_possible(&base.0).unwrap();
            recover(&base.0).unwrap();
            assert_eq!(base.paths(), OLD, "after {done} steps");
        }
    }
}

#[test]
fn undo_fills_nothing_that_others_put_in_a_folders_place() {
    let base = Base::new("planted-in-place");
    forget(base.staged());
    base.decide();
    move_away(&base.0, &base.step("tables")).unwrap();
    symlink("indices", base.0.join("tables")).unwrap();
    undo(&base.0).unwrap();
    assert_eq!(fs::read_dir(base.0.join("indices")).unwrap().count(), 1);
    assert!(base.0.join("tables").symlink_metadata().unwrap().is_dir());
}
