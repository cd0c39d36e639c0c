# The first process of a machine: $1 is the machine's directory, $2 the size of its disk. It takes in what its children leave behind, and ends
# with its standard input, and everything on the machine with it.
set -e
mount --make-rprivate /
mount -t proc proc /proc
mkdir -p "$1/run" "$1/cgroup"
mount --rbind /sys/fs/cgroup "$1/cgroup"
umount -l /sys
mount -t sysfs sysfs /sys # which shows this machine's interfaces
mount --rbind "$1/cgroup" /sys/fs/cgroup
umount -l "$1/cgroup"
mount --bind "$1/run" /run
if [ "$2" != 0 ]; then
	mkdir "$1/disk"
	truncate -s "$2" "$1/disk.img"
	mkfs.ext4 -q -m 0 "$1/disk.img"
	mount -o loop "$1/disk.img" "$1/disk"
fi
ip link set lo up
echo 0 >/proc/sys/net/ipv4/ip_forward # so that the engine forbids forwarding, as it does on a new machine
echo up
read -r _ || true
