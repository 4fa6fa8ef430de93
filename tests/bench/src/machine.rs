//! What it was measured on: enough to judge the figures by, nothing that names the machine.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Instant;

use anyhow::bail;

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// One line about the machine and the disk under `folder`.
pub fn describe(folder: &Path) -> anyhow::Result<String> {
    let cpu = read("/proc/cpuinfo");
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let virtual_machine = cpu.lines().any(|l| l.starts_with("flags") && l.contains(" hypervisor"));
    let memory: f64 = read("/proc/meminfo")
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse().ok())
        .unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease");
    let kernel: Vec<&str> = kernel.trim().split(['.', '-', '+']).take(3).collect();
    let (file_system, disk) = disk(folder)?;
    let flush = flush_microseconds(folder)?;
    Ok(format!(
        "{model}, {cores} cores{}, {:.0} GiB memory, Linux {}, {file_system} on {disk}, \
         write and flush of 4 KiB {flush:.0} us (median)",
        if virtual_machine { " (virtual machine)" } else { "" },
        memory / 1024.0 / 1024.0,
        kernel.join("."),
    ))
}

fn disk(folder: &Path) -> anyhow::Result<(String, String)> {
    let device = fs::metadata(folder)?.dev();
    let (major, minor) = ((device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xfff_ff00));
    let number = format!("{major}:{minor}");
    let mounts = read("/proc/self/mountinfo");
    let file_system = mounts
        .lines()
        .filter(|line| line.split(' ').nth(2) == Some(&number))
        .find_map(|line| line.split(" - ").nth(1)?.split(' ').next())
        .unwrap_or("unknown file system");
    if file_system == "tmpfs" {
        bail!("the data would lie in memory: set UZEL_BENCH_DIR to a folder on a disk");
    }
    let rotational = read(&format!("/sys/dev/block/{number}/queue/rotational"));
    let name = fs::canonicalize(format!("/sys/dev/block/{number}")).unwrap_or_default();
    let name = name.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let kind = match rotational.trim() {
        _ if name.starts_with("vd") => "a virtual disk",
        "0" => "a solid-state disk",
        "1" => "a rotating disk",
        _ => "a disk",
    };
    Ok((file_system.to_owned(), kind.to_owned()))
}

fn flush_microseconds(folder: &Path) -> anyhow::Result<f64> {
    let path = folder.join("flush");
    let mut file = fs::File::create(&path)?;
    let mut times = Vec::new();
    for _ in 0..200 {
        let started = Instant::now();
        file.write_all(&[0x5a; 4096])?;
        file.sync_data()?;
        times.push(started.elapsed().as_nanos() as f64 / 1000.0);
    }
    fs::remove_file(path)?;
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}
