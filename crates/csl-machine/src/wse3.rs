//! WSE-3.

use crate::chip::{Chip, ConfigSpace, Fabric, Margins, MemcpyTable, Queues, ScalarCosts, TaskTable, Timing};
use crate::shared;
use crate::{Arch, TaskId};

pub(crate) const CHIP: Chip = Chip {
    arch: Arch::Wse3,
    memory: shared::MEMORY,
    fabric: Fabric {
        colors: shared::COLORS,
        switchable_colors: 0x33_33ff, // documented: 0 to 9, 12, 13, 16, 17, 20 and 21
        switch_positions: 4,          // documented: pos0 to pos3
        wide_switch_positions: true,  // documented: one function sets both sides; several tx where the chip allows
    },
    queues: Queues {
        input_depth: &[8, 8, 4, 4, 4, 4, 4, 4],  // documented
        output_depth: &[8, 8, 8, 8, 8, 8, 8, 8], // documented
        unnamed_output_depth: 8,                 // chosen: as its queues
        unbound_color_depth: None,               // documented: data tasks, too, belong to queues
        microthreads: shared::MICROTHREADS,
        fabric_inputs_per_op: 1, // documented
    },
    tasks: TaskTable {
        first_local: 8, // documented
        last_local: 30, // documented
        last_data: 7,   // documented: the input queue
        last_control: shared::LAST_CONTROL_TASK,
        teardown: shared::TEARDOWN_TASK,
        no_entrypoint: shared::NO_ENTRYPOINT,
    },
    registers: shared::REGISTERS,
    config: ConfigSpace {
        color_routes: 0x7c00,   // a comment in published code gives the byte address, 2 * 0x7c00
        color_switches: 0x7c20, // chosen: as far behind the routes as on WSE-2
    },
    memcpy: MemcpyTable {
        colors: &[21, 22, 23],                // documented; 27 in release 0.7
        local_tasks: &[27, 28, 30],           // documented
        control_tasks: &[33, 34, 35, 36, 37], // documented
        command_task: TaskId::at(1),          // documented
        input_queues: &[0, 1],                // documented
        output_queues: &[0],                  // documented
        dest_dsr: 0,                          // documented
        src1_dsr: 0,                          // documented
        max_channels: shared::MAX_CHANNELS,
        margins: Margins { west: 4, east: 3, north: 1, south: 1 }, // documented
        max_rpc_params: shared::MAX_RPC_PARAMS,
        command_period: 50, // vendor simulator log (M)
        // derived (X), in-sample: the first data task behind a launched function comes so much later, WSE-3; a command task
        // takes about 15 cycles (M)
        behind_a_call: 10,
        // derived (X), in-sample: 150 to 220 cycles a blocking launch, in programs timed both by the host's launches and without
        launch_latency: 140,
        copy_latency: 2000, // chosen: a published tutorial reads what arrives some time after the launch that made it has returned
        h2d_centicycles_per_word: 158, // vendor simulator log (M)
        d2h_copy_cycles_per_word: 59, // vendor simulator log (M)
        d2h_stream_cycles_per_word: 2, // vendor simulator log (M)
        words_on_the_way: 12, // chosen: twice those of WSE-2, as a router's buffers are
        buffer_words: shared::BUFFER_WORDS,
    },
    timing: Timing {
        hop: 2,                       // vendor simulator log (M), silicon (S)
        dispatch_to_ramp: 7,          // vendor simulator log (M)
        dispatch_to_execute: 3,       // vendor simulator log (M): stages 3 and 6
        completion_to_task: 3,        // reported (m)
        router_buffer: 4,             // derived (X): twice the hop
        dsr_load: 1,                  // derived (X)
        before_operation: 3,          // derived (X)
        scalar_operand: 1,            // derived (X)
        two_sources_at_four_lanes: 0, // derived (X)
        timestamp_pair: 10,           // derived (X): 6 to 11 seen
        lane_bits: 128,               // derived (X)
        async_issue: 1,               // reported (m)
        // vendor simulator log (M), in-sample: a task for each wavelet with a body of four instructions every 12 to 15 cycles
        task_switch: 9,
        between_operations: 2, // derived (X), in-sample: steps of a stencil with one value a PE
        between_dependent_operations: 3, // derived (X), in-sample: as dispatch_to_execute, from the same
        scalar_code_holds_slot: false, // vendor simulator log (M): a relay on a PE with tasks is never late
        loopback_hold: 0,      // not recorded
    },
    scalar: ScalarCosts {
        alu: 1,                // reported (m): one issue a cycle, in order
        load: 1,               // chosen: as any instruction
        store: 1,              // derived (X), in-sample: histogram
        float_to_store: 1, // derived (X), in-sample: prefix sum and SAXPY take 18 and 22, a histogram no more than one a store
        config_write: 7,   // reported (m), in-sample: about 10 cycles a color for its route
        float_latency: 2,  // reported (m)
        multiply_i16: 1,   // chosen
        multiply_i32: 4,   // chosen: three 16-bit products and an addition
        alu_i32: 2,        // chosen: the datapath of scalar integers is 16 bits wide
        divide_int: 50,    // chosen: as the f32 division
        divide_f32: 102, // derived (X), in-sample: 98 to 110 from three loops with one division an element, WSE-3; documented is "about 50"
        divide_f16: 12,  // derived (X), in-sample: 10 to 15 from one loop with exp and one division an element, WSE-3
        branch_not_taken: 3, // reported (m)
        branch_taken: 6, // reported (m)
        loop_back_edge: 9, // reported (m): 9 to 10, no predictor
        map_back_edge: 1, // derived (X), in-sample: 1 to 3 a step beside the operation
        known_descriptor: 16, // taken as that of one that is changed
        change_descriptor: 16, // derived (X), in-sample: from one matrix product; other sizes and programs agree
        computed_index: 2, // derived (X), in-sample: +2.4 to +3 an access of a matrix product
        product_latency: 1, // derived (X), in-sample: dot product and SAXPY
        call: 6,         // chosen: a taken branch
        ret: 6,          // chosen: a taken branch
    },
};
