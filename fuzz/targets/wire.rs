#![no_main]

use cloudhsm_fuzz::wire;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Twice the largest frame, and what serde reserves for a list before it has read it.
const MAX: usize = 2 * cloudhsm::wire::frame::MAX_ANSWER + (4 << 20);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    wire::run(bytes);
    let held = MEMORY.peak_usage() - before;
    // A row of a list takes more in memory than in a frame.
    assert!(held <= MAX + 64 * bytes.len(), "{held} bytes are held for {}", bytes.len());
});
