package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// detach starts this command again in the background, and waits until its node is Ready.
func (o *UpOptions) detach(ctx context.Context, streams genericiooptions.IOStreams) error {
	ctx, cancel := context.WithTimeoutCause(ctx, o.Timeout, fmt.Errorf("not ready after %s", o.Timeout))
	defer cancel()
	if _, err := o.Agent.Node(); err != nil {
		return err
	}
	home := o.Server.Home
	pid, err := running(home, RoleServer)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	if pid != 0 {
		fmt.Fprintf(streams.Out, "The cluster runs already (process %d).\n", pid)
	} else {
		fmt.Fprintf(streams.Out, "Starting the cluster in %s\n", home)
		if err := o.spawn(ended); err != nil {
			return err
		}
	}
	for _, stage := range o.stages() {
		started := time.Now()
		if err := stage.await(ctx, ended); err != nil {
			return fmt.Errorf("waiting until the %s: %w\n%s", stage.name, err, logTail(home))
		}
		fmt.Fprintf(streams.Out, "  %-24s %.1f s\n", stage.name, time.Since(started).Seconds())
	}
	return nil
}

// spawn starts the background process. ended gets its error when it ends.
func (o *UpOptions) spawn(ended chan<- error) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := openLog(o.Server.Home)
	if err != nil {
		return err
	}
	defer log.Close()
	// The same flags, without those that are about the background.
	args := slices.DeleteFunc(slices.Clone(os.Args[1:]), func(arg string) bool {
		return arg == "-d" || arg == "--detach" || strings.HasPrefix(arg, "--detach=")
	})
	cmd := exec.Command(self, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		err := cmd.Wait()
		if err == nil {
			err = errors.New("exit status 0")
		}
		ended <- fmt.Errorf("the cluster's process ended: %w", err)
	}()
	return nil
}

// maxLog is the size at which the log of the run before is set aside.
const maxLog = 16 << 20

func logFile(home string) string { return filepath.Join(home, "log", "leme.log") }

func openLog(home string) (*os.File, error) {
	path := logFile(home)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	if info, err := os.Stat(path); err == nil && info.Size() > maxLog {
		if err := os.Rename(path, path+".old"); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
}

// logTail is the end of the log, for a start that failed.
func logTail(home string) string {
	const last = 2000
	file, err := os.Open(logFile(home))
	if err != nil {
		return ""
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > last {
		if _, err := file.Seek(-last, io.SeekEnd); err != nil {
			return ""
		}
	}
	text, err := io.ReadAll(io.LimitReader(file, last))
	if err != nil {
		return ""
	}
	return fmt.Sprintf("the end of %s:\n%s", logFile(home), text)
}

// stage is one thing to wait for while a cluster starts.
type stage struct {
	name string
	done func(context.Context) bool
}

func (o *UpOptions) stages() []stage {
	return []stage{
		{"API server answers", o.apiAnswers},
		{"node is Ready", o.nodeReady},
	}
}

const stagePoll = 50 * time.Millisecond

func (s stage) await(ctx context.Context, ended <-chan error) error {
	err := wait.PollUntilContextCancel(ctx, stagePoll, true, func(ctx context.Context) (bool, error) {
		select {
		case err := <-ended:
			return false, err
		default:
			return s.done(ctx), nil
		}
	})
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (o *UpOptions) client() (*kubernetes.Clientset, error) {
	config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(o.Server.Home, "kubeconfig"))
	if err != nil {
		return nil, err
	}
	config.Timeout = 5 * time.Second
	return kubernetes.NewForConfig(config)
}

func (o *UpOptions) apiAnswers(ctx context.Context) bool {
	client, err := o.client()
	if err != nil {
		return false
	}
	return client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error() == nil
}

func (o *UpOptions) nodeReady(ctx context.Context) bool {
	client, err := o.client()
	if err != nil {
		return false
	}
	name, err := o.Agent.Node()
	if err != nil {
		return false
	}
	node, err := client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return false
	}
	return slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	}) && o.agentListens(node)
}

// agentListens makes sure that the Ready of an earlier run is not taken for this one's.
func (o *UpOptions) agentListens(node *corev1.Node) bool {
	for _, a := range node.Status.Addresses {
		if a.Type != corev1.NodeInternalIP {
			continue
		}
		conn, err := net.DialTimeout("tcp", net.JoinHostPort(a.Address, fmt.Sprint(node.Status.DaemonEndpoints.KubeletEndpoint.Port)), time.Second)
		if err == nil {
			conn.Close()
			return true
		}
	}
	return false
}
