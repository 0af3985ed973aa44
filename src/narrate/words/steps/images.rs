//! The steps of taking images in, making them and giving them away.

use super::super::Text;
use super::{StepWords, steps};

steps! {
    Load "load" {
        title: "Read the archive", "读取归档";
        why: "Each part of an image is named by the SHA-256 digest of what is in it. It is digested while it is read, and kept only if it is what its name says; what is not finished has another name, so a reader of the store never sees half of it.",
             "镜像的每个部分都以其内容的 SHA-256 摘要命名。边读边计算摘要，内容与名字相符才保留；没有完成的部分用别的名字，所以读仓库的人不会看到半个镜像。";
        object: "";
        look: "ls -l /var/lib/minidocker/blobs/sha256";
    }
    Unpack "unpack" {
        title: "Unpack a layer", "展开一层";
        why: "A layer comes from anybody. A child makes the layer's directory its root directory (pivot_root) before it reads the first name: whatever a path, a link or a whiteout in it says, there is nothing outside to be reached. Files named .wh.NAME become overlay's marks.",
             "层可能来自任何人。子进程先把层的目录变成自己的根目录（pivot_root），再读第一个名字：无论里面的路径、链接或删除标记怎么写，都没有外面可以到达。名为 .wh.NAME 的文件变成 overlay 的标记。";
        object: "";
        look: "ls /var/lib/minidocker/layers";
    }
    Pack "pack" {
        title: "The upper layer becomes a layer of an image", "upper 层变成镜像的一层";
        why: "All that a container changed is in its upper layer. It is written as a tar stream, in which a whiteout is an empty file .wh.NAME; the SHA-256 of that stream is the layer's name everywhere.",
             "容器改动的一切都在它的 upper 层里。把它写成 tar 流，其中 whiteout 写作空文件 .wh.名字；这个流的 SHA-256 就是这一层在各处的名字。";
        object: "";
        look: ;
    }
    Keep "keep" {
        title: "Into the store, whole or not at all", "放进仓库：要么完整，要么没有";
        why: "Blobs are named by the digest of their contents, and each layer is unpacked once, for all images and containers. All is made under names that nobody looks for; the name of the image comes last, by one rename.",
             "blob 以内容的摘要命名，每一层只解包一次，供所有镜像和容器共用。一切先用没人会去找的名字做好；镜像的名字最后才出现，靠一次 rename。";
        object: "";
        look: ;
    }
    Discard "discard" {
        title: "First the name, then what nobody needs", "先去掉名字，再删没人需要的";
        why: "An image is a name for a stack of layers that other images and containers may stand on too. So its name goes, and then each blob and layer to which no name leads any more and on which no container stands.",
             "镜像只是一叠层的名字，别的镜像和容器也可能建立在这些层上。所以先去掉名字，再删除不再有名字指向、也没有容器依赖的 blob 和层。";
        object: "";
        look: ;
    }
    Save "save" {
        title: "One archive for everybody", "人人都能读的归档";
        why: "Each blob goes into the archive once, under its digest, checked while it passes. index.json names the images for readers of OCI layouts, manifest.json for docker load.",
             "每个 blob 以摘要为名，只放一次，经过时核对摘要。index.json 为 OCI 布局的读者列出镜像，manifest.json 则为 docker load 列出。";
        object: "";
        look: ;
    }
}
