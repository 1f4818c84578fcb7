//! The tables, where a wrong figure would be noticed late.

use csl_machine::{Arch, Chip, Coord, QueueId, Size, chip, registers};

#[test]
fn names_read_back() {
    for arch in Arch::ALL {
        assert_eq!(Arch::from_name(arch.name()), Some(arch));
        assert_eq!(chip(arch).arch, arch);
    }
    assert_eq!(Arch::from_name("wse1"), None);
}

#[test]
fn wse3_switches_exist_for_some_colors_only() {
    let with = |arch| (0..32).filter(|&c| chip(arch).is_switchable_color(c)).collect::<Vec<_>>();
    assert_eq!(with(Arch::Wse2), (0..24).collect::<Vec<_>>());
    assert_eq!(with(Arch::Wse3), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 17, 20, 21]);
}

#[test]
fn ids_and_queues() {
    let (wse2, wse3) = (chip(Arch::Wse2), chip(Arch::Wse3));
    assert!(wse2.valid_local_task_id(0) && !wse3.valid_local_task_id(7) && wse3.valid_local_task_id(8));
    assert!(wse2.valid_data_task_id(23) && !wse3.valid_data_task_id(8));
    assert!(!wse2.valid_local_task_id(31) && wse2.valid_control_task_id(63) && !wse2.valid_control_task_id(64));
    let [one, two, six, seven] = [1, 2, 6, 7].map(QueueId::at);
    assert_eq!((wse2.input_queue_depth(two), wse3.input_queue_depth(one)), (Some(4), Some(8)));
    assert_eq!((wse2.output_queue_depth(two), wse2.output_queue_depth(six)), (Some(6), None));
    assert_eq!(wse3.output_queue_depth(seven), Some(8));
    assert_eq!((wse2.timing.router_buffer, wse3.timing.router_buffer), (2 * wse2.timing.hop, 2 * wse3.timing.hop));
}

/// Words of each queue, in their order (guide).
#[test]
fn depths_of_queues() {
    let (wse2, wse3) = (chip(Arch::Wse2), chip(Arch::Wse3));
    let inputs =
        |chip: &Chip| (0..9).map(QueueId::at).map_while(|queue| chip.input_queue_depth(queue)).collect::<Vec<_>>();
    let outputs =
        |chip: &Chip| (0..9).map(QueueId::at).map_while(|queue| chip.output_queue_depth(queue)).collect::<Vec<_>>();
    assert_eq!((inputs(wse2), outputs(wse2)), (vec![6, 6, 4, 4, 2, 2, 2, 2], vec![2, 2, 6, 6, 2, 2]));
    assert_eq!((inputs(wse3), outputs(wse3)), (vec![8, 8, 4, 4, 4, 4, 4, 4], vec![8; 8]));
}

#[test]
fn memory_banks_interleave_by_word() {
    let banks: Vec<u16> = (0..20).step_by(2).map(|address| chip(Arch::Wse2).bank(address)).collect();
    assert_eq!(banks, [0, 1, 2, 3, 4, 5, 6, 7, 0, 1]);
}

#[test]
fn switch_fields_lie_side_by_side() {
    assert_eq!([1, 2, 3].map(registers::switch_field_shift), [0, 4, 8]);
}

#[test]
fn places_are_numbered_row_by_row() {
    let size = Size { width: 3, height: 2 };
    let (east, south) = (Coord { x: 2, y: 1 }, Coord { x: 0, y: 2 });
    assert_eq!((size.number(east), size.place(5)), (5, east));
    assert!(size.contains(east) && !size.contains(south) && !size.contains(Coord { x: 3, y: 0 }));
    let around = size.around(Coord { x: 4, y: 1 }, Size { width: 3, height: 1 });
    assert_eq!(around, Size { width: 10, height: 4 });
    assert!(
        around.holds(size) && !size.holds(Size { width: 2, height: 3 }) && !size.holds(Size { width: 4, height: 2 })
    );
}
