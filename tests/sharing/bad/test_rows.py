"""The table of bad inputs, row by row, and the tests that hold each: where to look, and what must stay there."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

ROWS: dict[int, tuple[str, dict[str, list[str]]]] = {
    1: (
        "safetensors: empty, 7 bytes, no JSON, no UTF-8, an array for a header",
        {
            "tests/sharing/bad/test_bad_headers.py": ["test_a_file_that_is_no_whole_safetensors_file"],
            "tests/checkpoint/test_headers.py": ["test_a_wrong_header_is_told", "test_a_file_that_is_hardly_one"],
        },
    ),
    2: (
        "a header of 2^63 bytes, of 101 MB, longer than the file",
        {
            "tests/sharing/bad/test_bad_headers.py": [
                "test_a_file_that_is_no_whole_safetensors_file",
                "test_a_large_header_costs_nothing",
            ],
            "tests/checkpoint/test_headers.py": ["test_a_header_longer_than_the_file"],
        },
    ),
    3: (
        "700,000 tensors of no bytes",
        {
            "tests/sharing/bad/test_bad_headers.py": [
                "test_a_file_that_is_no_whole_safetensors_file",
                "test_a_large_header_costs_nothing",
            ],
            "tests/checkpoint/test_headers.py": ["test_a_header_of_many_empty_tensors_is_refused_at_once"],
        },
    ),
    4: (
        "overlap, hole, reversed, trailing or missing bytes",
        {"tests/sharing/bad/test_bad_headers.py": ["test_a_file_that_is_no_whole_safetensors_file"]},
    ),
    5: (
        "shape times type is not the span, dimensions of 2^62, a negative one",
        {"tests/sharing/bad/test_bad_headers.py": ["test_a_file_that_is_no_whole_safetensors_file"]},
    ),
    6: (
        "a type of the same width",
        {
            "tests/sharing/bad/test_bad_weights.py": [
                "test_tensors_that_are_not_those_of_the_model",
                "test_a_start_that_is_not_of_the_backbone",
            ],
            "tests/checkpoint/test_loading.py": ["test_numbers_of_another_kind_are_refused"],
        },
    ),
    7: (
        "another shape, a missing or unexpected key",
        {
            "tests/sharing/bad/test_bad_weights.py": [
                "test_tensors_that_are_not_those_of_the_model",
                "test_a_start_that_is_not_of_the_backbone",
            ],
            "tests/checkpoint/test_loading.py": [
                "test_of_names_that_do_not_fit_the_first_ten_are_told",
                "test_weights_of_another_architecture_are_refused",
            ],
        },
    ),
    8: (
        "weights that are NaN or infinite",
        {
            "tests/sharing/bad/test_bad_weights.py": [
                "test_tensors_that_are_not_those_of_the_model",
                "test_8_weights_that_are_no_numbers_are_pushed_and_pulled_by_explicit_wish",
            ],
            "tests/sharing/test_finite.py": ["test_what_is_no_number_is_named"],
        },
    ),
    9: (
        "a tensor called ../../x, of 10 kB, with control characters",
        {
            "tests/sharing/bad/test_bad_headers.py": ["test_a_file_that_is_no_whole_safetensors_file"],
            "tests/checkpoint/test_headers.py": ["test_names_that_are_none"],
        },
    ),
    10: (
        "a pickle alone",
        {
            "tests/sharing/bad/test_bad_weights.py": ["test_10_a_pickle_alone_is_never_read"],
            "tests/checkpoint/test_source.py": [
                "test_a_folder_with_a_pickle_alone_is_refused",
                "test_a_file_of_another_format_is_refused",
            ],
            "tests/sharing/test_names.py": ["test_pickles_alone_and_too_many_files_are_refused"],
            "tests/sharing/test_unpickle.py": ["test_a_program_is_refused"],
        },
    ),
    11: (
        "an alias bomb",
        {
            "tests/sharing/bad/test_bad_specs.py": [
                "test_a_spec_that_is_refused",
                "test_a_spec_that_is_pulled_is_refused_like_any",
                "test_a_bomb_costs_nothing",
            ],
            "tests/spec/test_wrong_specs.py": ["test_a_file_that_is_no_spec"],
        },
    ),
    12: (
        "a merge bomb, a flat list of 2 MB, nesting of 5000",
        {
            "tests/sharing/bad/test_bad_specs.py": [
                "test_a_spec_that_is_refused",
                "test_a_spec_that_is_pulled_is_refused_like_any",
                "test_a_bomb_costs_nothing",
            ],
            "tests/spec/test_wrong_specs.py": ["test_a_file_that_is_no_spec"],
        },
    ),
    13: (
        "any tag",
        {
            "tests/sharing/bad/test_bad_specs.py": [
                "test_a_spec_that_is_refused",
                "test_a_spec_that_is_pulled_is_refused_like_any",
            ],
            "tests/spec/test_wrong_specs.py": ["test_a_wrong_spec_is_told_at_its_place"],
        },
    ),
    14: (
        "duplicate keys, values of YAML 1.1, NUL, 5000 digits, a date that is none",
        {
            "tests/sharing/bad/test_bad_specs.py": [
                "test_a_spec_that_is_refused",
                "test_a_spec_that_is_pulled_is_refused_like_any",
                "test_a_bomb_costs_nothing",
            ],
            "tests/spec/test_wrong_specs.py": ["test_a_wrong_spec_is_told_at_its_place", "test_a_file_that_is_no_spec"],
        },
    ),
    15: (
        "_target_, dotted paths, auto_map, trust_remote_code, _attn_implementation_internal",
        {
            "tests/sharing/bad/test_bad_specs.py": [
                "test_a_spec_that_is_refused",
                "test_15_an_option_of_a_library_that_would_run_code",
            ],
            "tests/plugins/test_transformers_configuration.py": ["test_a_file_says_neither_code_nor_kernels_nor_types"],
            "tests/sharing/test_import.py": ["test_entries_that_name_code_are_taken_out_and_told"],
        },
    ),
    16: (
        "a file called ../x, /x, ..\\x; a link; A and a; CON; NFC and NFD",
        {
            "tests/sharing/bad/test_bad_names.py": [
                "test_a_name_that_leads_elsewhere",
                "test_16_a_name_in_the_lock_alone",
                "test_16_a_link_in_a_store_and_in_a_run",
            ],
            "tests/sharing/bad/test_bad_hubs.py": ["test_16_and_32_a_hub_that_lists_what_no_run_has"],
            "tests/sharing/test_names.py": ["test_names_that_are_refused", "test_twins_are_refused"],
        },
    ),
    17: (
        "an index that names ../../outside, or a missing shard",
        {
            "tests/sharing/bad/test_bad_names.py": ["test_an_index_that_names_files_elsewhere"],
            "tests/checkpoint/test_weights.py": [
                "test_an_index_of_anything_else_is_corrupt",
                "test_a_shard_that_lacks_what_the_index_says_or_is_not_there",
            ],
            "tests/sharing/test_import.py": ["test_an_index_that_leads_elsewhere_is_refused"],
        },
    ),
    18: (
        "a plugin that raises, exits, prints or hangs when it is imported",
        {
            "tests/sharing/bad/test_bad_plugins.py": [
                "test_18_a_plugin_that_hangs_can_be_interrupted",
                "test_18_a_plugin_that_hangs_can_be_left_out",
                "test_18_a_plugin_that_hangs_is_named",
            ],
            "tests/registry/test_loader.py": [
                "test_broken_plugin_is_told_and_harms_nobody",
                "test_interrupt_is_not_swallowed",
                "test_printing_goes_to_stderr",
            ],
            "tests/test_installed.py": [
                "test_broken_plugin_is_reported",
                "test_every_verb_works_beside_broken_plugins",
                "test_a_plugin_may_print",
                "test_component_of_a_broken_plugin",
            ],
        },
    ),
    19: (
        "two plugins of one name, or one that shadows a built-in",
        {
            "tests/registry/test_loader.py": [
                "test_clash_names_both",
                "test_zoo_keeps_its_namespaces_and_loads_first",
                "test_a_taken_name_is_refused_though_its_verb_is_not_imported",
            ],
            "tests/registry/test_narrowed.py": [
                "test_of_two_that_claim_a_namespace_one_can_be_named",
                "test_nobody_takes_a_namespace_of_zoo_by_being_named",
            ],
            "tests/test_installed.py": ["test_broken_plugin_is_reported", "test_squatter_does_not_answer"],
        },
    ),
    20: (
        "a wrong digest, one bit, a poisoned cache",
        {
            "tests/sharing/bad/test_bad_hubs.py": [
                "test_20_weights_that_were_garbled_are_fetched_once_more",
                "test_20_what_is_always_garbled_is_refused_and_a_cache_that_has_it_is_mended",
            ],
            "tests/sharing/test_push_and_pull.py": [
                "test_a_flipped_bit_is_told",
                "test_a_file_that_the_lock_does_not_know_is_told",
            ],
            "tests/sharing/test_storm.py": ["test_what_was_garbled_on_the_way_is_fetched_again"],
            "tests/sharing/test_hub.py": [
                "test_without_a_network_the_cache_is_enough_if_its_digests_are_right",
            ],
        },
    ),
    21: (
        "a body that is cut, connections that drop",
        {
            "tests/sharing/bad/test_bad_hubs.py": ["test_a_body_that_never_comes_whole"],
            "tests/sharing/test_storm.py": ["test_in_a_storm_every_push_is_one_commit"],
        },
    ),
    22: (
        "a storm of 5xx and 429, Retry-After: 86400",
        {
            "tests/sharing/bad/test_bad_hubs.py": ["test_a_body_that_never_comes_whole", "test_22_a_hub_that_is_down"],
            "tests/sharing/test_storm.py": [
                "test_in_a_storm_every_push_is_one_commit",
                "test_a_server_that_keeps_one_waiting_is_given_up",
            ],
            "tests/checkpoint/test_network.py": [
                "test_it_is_asked_for_so_many_times_and_no_more",
                "test_the_deadline_is_counted_from_the_first_failure",
            ],
        },
    ),
    23: (
        "a server that stalls",
        {
            "tests/sharing/bad/test_bad_hubs.py": ["test_a_body_that_never_comes_whole"],
            "tests/sharing/test_storm.py": ["test_a_server_that_keeps_one_waiting_is_given_up"],
        },
    ),
    24: (
        "a full disk",
        {
            "tests/sharing/bad/test_bad_disks.py": [
                "test_24_a_pull_to_a_full_disk",
                "test_24_a_run_on_a_full_disk",
                "test_24_a_push_to_a_full_disk",
                "test_24_a_push_with_no_room_for_what_is_temporary",
                "test_24_what_cannot_be_read_is_no_folder_that_cannot_be_written",
            ],
            "tests/sharing/bad/test_bad_bases.py": ["test_24_a_cache_on_a_full_disk"],
            "tests/checkpoint/test_folder.py": ["test_a_full_disk_is_told_and_leaves_nothing"],
        },
    ),
    25: (
        "kill -9 in a save, a push, a pull",
        {
            "tests/sharing/test_killed.py": [
                "test_a_killed_save_leaves_nothing_or_the_whole",
                "test_a_killed_push_into_a_folder_leaves_the_tip_or_the_whole",
                "test_a_killed_pull_from_a_folder_leaves_nothing_or_the_whole",
                "test_kills_between_here_and_the_hub",
                "test_what_killed_processes_left_is_swept_and_what_is_held_is_not",
            ],
            "tests/checkpoint/test_folder.py": ["test_a_process_that_is_killed_leaves_nothing_at_the_place"],
        },
    ),
    26: (
        "pushes at the same time, a tip that moved",
        {
            "tests/sharing/bad/test_bad_pushes.py": [
                "test_26_who_pushes_on_what_is_not_the_newest_commit_any_more_is_told_of_both"
            ],
            "tests/sharing/test_hub.py": ["test_of_many_pushes_at_once_one_wins"],
            "tests/sharing/test_folder_store.py": ["test_of_sixteen_that_push_at_once_one_wins"],
        },
    ),
    27: (
        "a commit that landed, and a reply that was lost",
        {
            "tests/sharing/test_hub.py": ["test_a_reply_that_is_lost_makes_no_second_commit"],
            "tests/sharing/test_storm.py": ["test_in_a_storm_every_push_is_one_commit"],
        },
    ),
    28: (
        "a branch or tag that moved, a forced push, a revision that went",
        {
            "tests/sharing/bad/test_bad_hubs.py": ["test_28_which_commit_was_taken_is_told_whatever_moved"],
            "tests/sharing/bad/test_bad_bases.py": ["test_28_a_build_tells_which_commit_its_weights_are_of"],
            "tests/checkpoint/test_dataset.py": ["test_a_run_on_a_data_set_of_the_hub"],
        },
    ),
    29: (
        "401, 403, 404: private, gated, a token that ran out or may only read",
        {
            "tests/sharing/bad/test_bad_hubs.py": [
                "test_29_a_token_that_ran_out_leaves_what_is_here",
                "test_29_what_is_not_there_is_told_alike_pinned_or_not",
            ],
            "tests/sharing/test_hub.py": [
                "test_who_may_not_is_told_and_no_token_is_shown",
                "test_a_colleague_pulls_what_was_pushed",
            ],
        },
    ),
    30: (
        "a base that was deleted, renamed, relicensed",
        {
            "tests/sharing/bad/test_bad_bases.py": [
                "test_30_a_base_that_went",
                "test_30_a_base_that_was_deleted_or_hidden",
                "test_30_a_base_that_was_deleted_and_is_listed_in_the_cache",
                "test_30_nothing_of_a_base_is_fetched_that_is_another_one",
            ],
            "tests/sharing/test_hub.py": ["test_of_a_frozen_backbone_that_is_pinned_the_difference_is_sent"],
        },
    ),
    31: (
        "an address that is no Hub",
        {
            "tests/sharing/bad/test_bad_hubs.py": ["test_an_address_that_is_no_hub"],
            "tests/sharing/test_hub.py": ["test_an_address_that_is_no_hub_is_told"],
        },
    ),
    32: (
        "a lock of 10^6 files, a base that is the run itself, deltas of deltas",
        {
            "tests/sharing/bad/test_bad_locks.py": [
                "test_a_lock_that_is_refused",
                "test_32_a_large_lock_costs_little",
                "test_32_a_commit_that_lists_more_than_there_can_be",
                "test_32_of_a_base_that_is_a_delta_itself_nothing_is_left_out",
            ],
            "tests/sharing/bad/test_bad_bases.py": ["test_32_a_base_that_is_a_delta_itself"],
            "tests/sharing/bad/test_bad_hubs.py": ["test_16_and_32_a_hub_that_lists_what_no_run_has"],
        },
    ),
}
"""What the input is, and by file the tests of it."""


@cache
def functions(file: str) -> set[str]:
    """The names of the functions of a file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_no_row_is_without_a_test() -> None:
    assert list(ROWS) == list(range(1, 33))
    assert all(what and files and all(files.values()) for what, files in ROWS.values())


@pytest.mark.parametrize("row", ROWS)
def test_the_tests_of_a_row_are_there(row: int) -> None:
    gone = [f"{file}::{name}" for file, names in ROWS[row][1].items() for name in names if name not in functions(file)]
    assert gone == []


def test_every_test_of_the_table_is_of_a_row() -> None:
    known = {(file, name) for _, files in ROWS.values() for file, names in files.items() for name in names}
    here = sorted(path.relative_to(ROOT).as_posix() for path in Path(__file__).parent.glob("test_bad_*.py"))
    further = [(file, name) for file in here for name in functions(file) if name.startswith("test_")]
    assert set(further) <= known
