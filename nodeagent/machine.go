package nodeagent

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// maxPods is how many pods a node takes (the kubelet's default).
const maxPods = 110

// machine is what does not change while the agent runs.
type machine struct {
	home         string // whose file system counts as the node's storage
	hostname     string
	cpus         int
	memory       int64 // bytes
	storage      int64 // bytes
	kernel, os   string
	machineID    string
	systemUUID   string
	bootID       string
	architecture string
}

func inspectMachine(home string) (machine, error) {
	m := machine{home: home, cpus: runtime.NumCPU(), architecture: runtime.GOARCH, os: osImage(),
		machineID: line("/etc/machine-id"), systemUUID: line("/sys/class/dmi/id/product_uuid"),
		bootID: line("/proc/sys/kernel/random/boot_id"), kernel: line("/proc/sys/kernel/osrelease")}
	var err error
	if m.hostname, err = os.Hostname(); err != nil {
		return m, err
	}
	memory, err := memoryInfo()
	if err != nil {
		return m, err
	}
	m.memory = memory["MemTotal"]
	disk, err := diskOf(home)
	if err != nil {
		return m, err
	}
	m.storage = disk.total
	return m, nil
}

// capacity is what the node has for pods.
func (m machine) capacity() corev1.ResourceList {
	return corev1.ResourceList{
		corev1.ResourceCPU:              *resource.NewQuantity(int64(m.cpus), resource.DecimalSI),
		corev1.ResourceMemory:           *resource.NewQuantity(m.memory, resource.BinarySI),
		corev1.ResourceEphemeralStorage: *resource.NewQuantity(m.storage, resource.BinarySI),
		corev1.ResourcePods:             *resource.NewQuantity(maxPods, resource.DecimalSI),
	}
}

// pressure is what runs short on the machine, with the kubelet's default thresholds.
type pressure struct{ memory, disk, pids bool }

const (
	memoryFloor = 100 << 20 // bytes available
	diskFloor   = 10        // percent free, of bytes and of inodes
	pidsFloor   = 10        // percent free
)

func (m machine) pressure() (p pressure, err error) {
	memory, err := memoryInfo()
	if err != nil {
		return p, err
	}
	p.memory = memory["MemAvailable"] < memoryFloor
	disk, err := diskOf(m.home)
	if err != nil {
		return p, err
	}
	p.disk = disk.free*100 < disk.total*diskFloor || disk.inodesFree*100 < disk.inodes*diskFloor
	limit, _ := strconv.ParseInt(line("/proc/sys/kernel/pid_max"), 10, 64)
	if info := (unix.Sysinfo_t{}); limit > 0 && unix.Sysinfo(&info) == nil {
		p.pids = (limit-int64(info.Procs))*100 < limit*pidsFloor
	}
	return p, nil
}

// memoryInfo reads /proc/meminfo, in bytes (proc(5)).
func memoryInfo() (map[string]int64, error) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return nil, err
	}
	info := map[string]int64{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		if fields := strings.Fields(rest); len(fields) > 0 {
			if n, err := strconv.ParseInt(fields[0], 10, 64); err == nil {
				info[name] = n << 10
			}
		}
	}
	if info["MemTotal"] == 0 {
		return nil, fmt.Errorf("/proc/meminfo does not tell the memory's size")
	}
	return info, nil
}

type disk struct{ total, free, inodes, inodesFree int64 }

// diskOf tells of the file system of a directory, which it makes when it is not there yet.
func diskOf(dir string) (disk, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return disk{}, err
	}
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return disk{}, fmt.Errorf("asking for the disk of %s: %w", dir, err)
	}
	return disk{
		total: int64(s.Blocks) * s.Bsize, free: int64(s.Bavail) * s.Bsize,
		inodes: int64(s.Files), inodesFree: int64(s.Ffree),
	}, nil
}

// osImage is the distribution's name (os-release(5)).
func osImage() string {
	text, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return runtime.GOOS
	}
	for _, l := range strings.Split(string(text), "\n") {
		if name, ok := strings.CutPrefix(l, "PRETTY_NAME="); ok {
			return strings.Trim(name, `"`)
		}
	}
	return runtime.GOOS
}

// line is a small file's content, empty when it cannot be read.
func line(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
