package speed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"leme/test/install"
)

// programs are the paths of what is compared.
type programs struct {
	leme          string
	etcd          string // "" where it could not be built
	kubeAPIServer string // "" where it could not be built
	problem       error  // why
}

// peerVersion is what kube-apiserver is told that it is: a module has no version of its own.
const peerVersion = "v1.37.2"

// build makes Leme anew, and the peers where they are older than what their module asks for.
var build = sync.OnceValues(func() (programs, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return programs{}, err
	}
	cache := filepath.Join(root, ".cache", "bench")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return programs{}, err
	}
	p := programs{leme: filepath.Join(cache, "leme")}
	if err := goBuild(root, p.leme, "."); err != nil {
		return programs{}, err
	}
	peers := filepath.Join(root, "test", "bench")
	p.etcd, p.kubeAPIServer = filepath.Join(cache, "etcd"), filepath.Join(cache, "kube-apiserver")
	for pkg, out := range map[string]string{"./etcd": p.etcd, ".": p.kubeAPIServer} {
		if newer(out, filepath.Join(peers, "go.mod")) {
			continue
		}
		if err := goBuild(peers, out, pkg); err != nil {
			return programs{leme: p.leme, problem: err}, nil
		}
	}
	return p, nil
})

// goBuild builds at a low priority: the peer is large. All programs are then installed alike.
func goBuild(dir, out, pkg string) error {
	cmd := exec.Command("nice", "go", "build", "-trimpath", "-ldflags",
		"-s -w -X k8s.io/component-base/version.gitVersion="+peerVersion, "-o", out, pkg)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s in %s: %w\n%s", pkg, dir, err, output)
	}
	return install.Program(out, out)
}

// newer tells whether one file is there and not older than the other.
func newer(file, than string) bool {
	a, err := os.Stat(file)
	if err != nil {
		return false
	}
	b, err := os.Stat(than)
	return err == nil && !a.ModTime().Before(b.ModTime())
}
