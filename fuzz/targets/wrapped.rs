#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cloudhsm_fuzz::wrapped::run(bytes));
