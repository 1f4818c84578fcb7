//! WSE-2.

use crate::chip::{Chip, ConfigSpace, Fabric, Margins, MemcpyTable, Queues, ScalarCosts, TaskTable, Timing};
use crate::shared;
use crate::{Arch, TaskId};

pub(crate) const CHIP: Chip = Chip {
    arch: Arch::Wse2,
    memory: shared::MEMORY,
    fabric: Fabric {
        colors: shared::COLORS,
        switchable_colors: 0xff_ffff, // documented: all colors
        switch_positions: 4,          // documented: pos0 to pos3
        wide_switch_positions: false, // inferred: its switch register has room for one side and one direction a position
    },
    queues: Queues {
        input_depth: &[6, 6, 4, 4, 2, 2, 2, 2], // documented
        output_depth: &[2, 2, 6, 6, 2, 2],      // documented
        unnamed_output_depth: 6,                // derived (X): such a chain streams at one word a cycle
        unbound_color_depth: Some(6),           // chosen: as the deepest queue
        microthreads: shared::MICROTHREADS,
        fabric_inputs_per_op: 2, // documented
    },
    tasks: TaskTable {
        first_local: 0, // documented
        last_local: 30, // documented
        last_data: 23,  // documented: the color
        last_control: shared::LAST_CONTROL_TASK,
        teardown: shared::TEARDOWN_TASK,
        no_entrypoint: shared::NO_ENTRYPOINT,
    },
    registers: shared::REGISTERS,
    config: ConfigSpace {
        color_routes: 0x7f20,   // inferred: solvers and stencils read and write it
        color_switches: 0x7f40, // inferred, likewise
    },
    memcpy: MemcpyTable {
        colors: &[21, 22, 23],                // documented; 27 in release 0.7
        local_tasks: &[27, 28, 30],           // documented
        control_tasks: &[33, 34, 35, 36, 37], // documented
        command_task: TaskId::at(22),         // documented
        input_queues: &[0],                   // documented
        output_queues: &[0],                  // documented
        dest_dsr: 0,                          // documented
        src1_dsr: 0,                          // documented
        max_channels: shared::MAX_CHANNELS,
        margins: Margins { west: 4, east: 3, north: 1, south: 1 }, // documented
        max_rpc_params: shared::MAX_RPC_PARAMS,
        command_period: 35, // vendor simulator log (M)
        // derived (X), in-sample: the first data task behind a launched function comes so much later, WSE-3; a command task
        // takes about 15 cycles (M)
        behind_a_call: 10,
        // derived (X), in-sample: 150 to 220 cycles a blocking launch, in programs timed both by the host's launches and without
        launch_latency: 140,
        copy_latency: 2000, // chosen: a published tutorial reads what arrives some time after the launch that made it has returned
        h2d_centicycles_per_word: 283, // vendor simulator log (M)
        d2h_copy_cycles_per_word: 47, // vendor simulator log (M)
        d2h_stream_cycles_per_word: 48, // vendor simulator log (M)
        // Derived (X): pipeline-01-basic of release 1.0 moves 14 words through queues of 6 and 2 before the host reads.
        words_on_the_way: 6,
        buffer_words: shared::BUFFER_WORDS,
    },
    timing: Timing {
        hop: 1,                       // vendor simulator log (M), silicon (S)
        dispatch_to_ramp: 5,          // vendor simulator log (M)
        dispatch_to_execute: 2,       // vendor simulator log (M): stages 2 and 4
        completion_to_task: 3,        // reported for WSE-3 (m), taken as the same
        router_buffer: 2,             // derived (X): twice the hop
        dsr_load: 1,                  // derived (X)
        before_operation: 2,          // derived (X)
        scalar_operand: 1,            // derived (X)
        two_sources_at_four_lanes: 1, // derived (X)
        timestamp_pair: 6,            // derived (X)
        lane_bits: 64,                // derived (X)
        async_issue: 1,               // reported (m)
        // vendor simulator log (M), in-sample: a task for each wavelet with a body of four instructions every 9 to 10 cycles
        task_switch: 5,
        between_operations: 2, // derived (X), in-sample: steps of a stencil with one value a PE
        between_dependent_operations: 2, // derived (X), in-sample: as dispatch_to_execute, from the same
        scalar_code_holds_slot: true, // vendor simulator log (M): a relay on a PE with tasks sends once a task
        loopback_hold: 7, // derived (X), in-sample: 3.5 cycles a word through a queue of two words; from one program
    },
    scalar: ScalarCosts {
        alu: 1,                // reported (m): one issue a cycle, in order
        load: 1,               // chosen: as any instruction
        store: 1,              // chosen: as any instruction
        float_to_store: 1,     // taken as on WSE-3
        config_write: 7,       // reported (m), in-sample: about 10 cycles a color for its route
        float_latency: 2,      // taken as on WSE-3
        multiply_i16: 1,       // chosen
        multiply_i32: 4,       // chosen: three 16-bit products and an addition
        alu_i32: 2,            // chosen: the datapath of scalar integers is 16 bits wide
        divide_int: 50,        // chosen: as the f32 division
        divide_f32: 102, // derived (X), in-sample: 98 to 110 from three loops with one division an element, WSE-3; documented is "about 50"
        divide_f16: 12,  // derived (X), in-sample: 10 to 15 from one loop with exp and one division an element, WSE-3
        branch_not_taken: 3, // taken as on WSE-3
        branch_taken: 6, // taken as on WSE-3
        loop_back_edge: 9, // taken as on WSE-3
        map_back_edge: 1, // derived (X), in-sample: 1 to 3 a step beside the operation
        known_descriptor: 8, // derived (X), in-sample: 20 to 22 cycles from operation to operation where each is known, 5 of them for elements
        change_descriptor: 12, // derived (X), in-sample: a task for each word of a product takes 4 more; a loop of 43 beside its elements agrees
        computed_index: 2,     // derived (X), in-sample: +2.4 to +3 an access of a matrix product
        product_latency: 1,    // derived (X), in-sample: dot product and SAXPY
        call: 6,               // chosen: a taken branch
        ret: 6,                // chosen: a taken branch
    },
};
