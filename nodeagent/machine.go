package nodeagent

import (
	"os"
	"runtime"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"leme/nodeagent/disk"
	"leme/nodeagent/host"
)

// machine is what does not change while the agent runs.
type machine struct {
	limits       Limits
	hostname     string
	cpus         int
	memory, swap int64           // bytes
	hugePages    map[int64]int64 // bytes by the size of a page
	storage      int64           // bytes of the agent's disk
	kernel, os   string
	machineID    string
	systemUUID   string
	bootID       string
	architecture string
}

func inspectMachine(c *Config) (machine, error) {
	m := machine{limits: c.Limits, cpus: runtime.NumCPU(), architecture: runtime.GOARCH, os: osImage(),
		machineID: line("/etc/machine-id"), systemUUID: line("/sys/class/dmi/id/product_uuid"),
		bootID: line("/proc/sys/kernel/random/boot_id"), kernel: line("/proc/sys/kernel/osrelease")}
	var err error
	if m.hostname, err = os.Hostname(); err != nil {
		return m, err
	}
	memory, err := host.ReadMemory(c.Host)
	if err != nil {
		return m, err
	}
	m.memory, m.swap = memory.Total, memory.Swap
	if m.hugePages, err = host.ReadHugePages(c.Host); err != nil {
		return m, err
	}
	if err := os.MkdirAll(c.Home, 0o755); err != nil {
		return m, err
	}
	space, err := disk.Of(c.Home)
	if err != nil {
		return m, err
	}
	m.storage = space.Total
	return m, m.limits.fits(m.capacity())
}

// capacity is what the machine has, and how many pods it takes.
func (m machine) capacity() corev1.ResourceList {
	list := corev1.ResourceList{
		corev1.ResourceCPU:              *resource.NewQuantity(int64(m.cpus), resource.DecimalSI),
		corev1.ResourceMemory:           *resource.NewQuantity(m.memory, resource.BinarySI),
		corev1.ResourceEphemeralStorage: *resource.NewQuantity(m.storage, resource.BinarySI),
		corev1.ResourcePods:             *resource.NewQuantity(int64(m.limits.pods(m.cpus)), resource.DecimalSI),
	}
	for size, bytes := range m.hugePages {
		name := corev1.ResourceHugePagesPrefix + resource.NewQuantity(size, resource.BinarySI).String()
		list[corev1.ResourceName(name)] = *resource.NewQuantity(bytes, resource.BinarySI)
	}
	return list
}

// allocatable is what of that pods may ask for.
func (m machine) allocatable() corev1.ResourceList { return m.limits.allocatable(m.capacity()) }

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
