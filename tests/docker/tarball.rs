//! Archives made byte by byte: what no program of good will would write.

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::Write;

/// One member of an archive.
#[derive(Debug, Clone)]
pub struct Member {
    pub name: String,
    pub kind: u8,
    pub body: Vec<u8>,
    pub link: String,
    pub mode: u32,
    pub owner: (u32, u32),
    pub device: (u32, u32),
    /// What the size field says, if not the truth.
    pub size: Option<u64>,
    /// Records of an extended header before it.
    pub records: Vec<(String, String)>,
}

/// A member of this type, without contents.
pub fn member(kind: u8, name: &str) -> Member {
    Member {
        name: name.to_owned(),
        kind,
        body: Vec::new(),
        link: String::new(),
        mode: if kind == b'5' { 0o755 } else { 0o644 },
        owner: (0, 0),
        device: (0, 0),
        size: None,
        records: Vec::new(),
    }
}

pub fn file(name: &str, body: &[u8]) -> Member {
    Member { body: body.to_vec(), ..member(b'0', name) }
}

pub fn directory(name: &str) -> Member {
    member(b'5', name)
}

pub fn symlink(name: &str, link: &str) -> Member {
    Member { link: link.to_owned(), ..member(b'2', name) }
}

pub fn hard_link(name: &str, link: &str) -> Member {
    Member { link: link.to_owned(), ..member(b'1', name) }
}

/// The archive of these members.
pub fn tar(members: &[Member]) -> Vec<u8> {
    let mut stream = Vec::new();
    for member in members {
        if !member.records.is_empty() {
            let mut records = String::new();
            member.records.iter().for_each(|(key, value)| record(&mut records, key, value));
            put(&mut stream, &file("extended", records.as_bytes()), b'x');
        }
        put(&mut stream, member, member.kind);
    }
    stream.resize(stream.len() + 1024, 0);
    stream
}

fn record(records: &mut String, key: &str, value: &str) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while rest + length.to_string().len() != length {
        length = rest + length.to_string().len();
    }
    writeln!(records, "{length} {key}={value}").unwrap();
}

fn put(stream: &mut Vec<u8>, member: &Member, kind: u8) {
    let mut header = [0_u8; 512];
    let mut text = |at: usize, value: &[u8]| header[at..at + value.len()].copy_from_slice(value);
    text(0, &member.name.as_bytes()[..member.name.len().min(100)]);
    text(100, format!("{:07o}", member.mode).as_bytes());
    text(108, format!("{:07o}", member.owner.0).as_bytes());
    text(116, format!("{:07o}", member.owner.1).as_bytes());
    text(124, format!("{:011o}", member.size.unwrap_or(member.body.len() as u64)).as_bytes());
    text(136, b"14724300000");
    text(148, b"        ");
    text(156, &[kind]);
    text(157, &member.link.as_bytes()[..member.link.len().min(100)]);
    text(257, b"ustar\x0000");
    text(329, format!("{:07o}", member.device.0).as_bytes());
    text(337, format!("{:07o}", member.device.1).as_bytes());
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    stream.extend(header);
    stream.extend(&member.body);
    stream.resize(stream.len().next_multiple_of(512), 0);
}

pub fn hex(contents: &[u8]) -> String {
    Sha256::digest(contents).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

pub fn gzip(contents: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(contents).unwrap();
    encoder.finish().unwrap()
}

/// The configuration of an image of these layers, as tar streams.
pub fn config(layers: &[Vec<u8>], config: &serde_json::Value) -> Vec<u8> {
    let diff_ids: Vec<String> = layers.iter().map(|layer| format!("sha256:{}", hex(layer))).collect();
    let rootfs = json!({"type": "layers", "diff_ids": diff_ids});
    json!({"architecture": architecture(), "os": "linux", "config": config, "rootfs": rootfs})
        .to_string()
        .into()
}

pub fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }
}

/// What `docker save` wrote of an image: a list, a configuration, and a directory for each layer.
pub fn docker_archive(name: Option<&str>, config: &[u8], layers: &[Vec<u8>]) -> Vec<Member> {
    let config_name = format!("{}.json", hex(config));
    let names: Vec<String> = (0..layers.len()).map(|index| format!("l{index}/layer.tar")).collect();
    let tags: Vec<&str> = name.into_iter().collect();
    let list = json!([{"Config": config_name, "RepoTags": tags, "Layers": names}]);
    let mut members: Vec<Member> = Vec::new();
    for (name, layer) in names.iter().zip(layers) {
        members.push(directory(name.trim_end_matches("layer.tar")));
        members.push(file(name, layer));
    }
    members.push(file(&config_name, config));
    members.push(file("manifest.json", list.to_string().as_bytes()));
    members
}

/// An OCI image layout: blobs by their digests, and an index. The layers are compressed.
pub struct Layout {
    pub members: Vec<Member>,
}

impl Layout {
    pub fn new() -> Self {
        Self { members: vec![file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)] }
    }

    /// Add a blob; its descriptor.
    pub fn blob(&mut self, media_type: &str, contents: &[u8]) -> serde_json::Value {
        let digest = hex(contents);
        self.members.push(file(&format!("blobs/sha256/{digest}"), contents));
        json!({"mediaType": media_type, "digest": format!("sha256:{digest}"), "size": contents.len()})
    }

    /// Add an image; the descriptor of its manifest.
    pub fn image(&mut self, config: &[u8], layers: &[Vec<u8>]) -> serde_json::Value {
        let config = self.blob("application/vnd.oci.image.config.v1+json", config);
        let layer = "application/vnd.oci.image.layer.v1.tar+gzip";
        let layers: Vec<_> = layers.iter().map(|contents| self.blob(layer, &gzip(contents))).collect();
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": layers});
        self.blob("application/vnd.oci.image.manifest.v1+json", manifest.to_string().as_bytes())
    }

    pub fn index(&mut self, manifests: &[serde_json::Value]) {
        let index = json!({"schemaVersion": 2, "manifests": manifests});
        self.members.push(file("index.json", index.to_string().as_bytes()));
    }
}

/// A descriptor with the note that says its name.
pub fn named(mut descriptor: serde_json::Value, name: &str) -> serde_json::Value {
    descriptor["annotations"] = json!({"org.opencontainers.image.ref.name": name});
    descriptor
}
