//! What an HSM reports about itself. Label, model and device numbers are those of the original hardware.

use crate::foreign::shown;
use crate::protocol::device::HsmDescription;

/// The lines of one HSM below a title that names it.
pub(crate) fn hsm_info(place: &str, hsm: &HsmDescription) -> String {
    let fields = |fields: &[(&str, &str)]| -> String {
        fields.iter().map(|(label, value)| format!("\t{label:<21}:{value}\n")).collect()
    };
    let (total, free) = (hsm.total_public_memory.to_string(), hsm.free_public_memory.to_string());
    let (major, minor) = (hsm.firmware.0.to_string(), format!("{:02}", hsm.firmware.1));
    [
        format!("\t\t*** {place} HSM Info ***\n"),
        fields(&[("Label", "cavium"), ("Model", "NITROX-III CNN35XX-NFBE")]),
        fields(&[
            ("Serial Number", &shown(&hsm.serial_number)),
            ("HSM Flags", "0"),
            ("FIPS state", "2 [FIPS mode with single factor authentication]"),
        ]),
        fields(&[
            ("Manufacturer ID", " "),
            ("Device ID", "10"),
            ("Class Code", "100000"),
            ("System vendor ID", "177D"),
            ("SubSystem ID", "10"),
        ]),
        fields(&[
            ("TotalPublicMemory", &total),
            ("FreePublicMemory", &free),
            ("TotalPrivateMemory", "0"),
            ("FreePrivateMemory", "0"),
        ])
        .replacen('\t', "\n\t", 1),
        fields(&[("Hardware Major", "3"), ("Hardware Minor", "0")]),
        fields(&[("Firmware Major", &major), ("Firmware Minor", &minor)]),
        fields(&[("Temperature", "56 C")]),
        fields(&[("Build Number", &hsm.build.to_string())]),
        fields(&[("Firmware ID", concat!("hsmd-", env!("CARGO_PKG_VERSION")))]),
    ]
    .join("\n")
        + "\n"
}
