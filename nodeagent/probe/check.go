package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// ErrNoAnswer is a command of which the container engine does not tell whether it ran: the engine hangs, and the
// container may be well.
var ErrNoAnswer = errors.New("the container engine did not answer in time")

// Exec runs a command in the container. exitCode counts only when err is nil; err is ErrNoAnswer when the engine hangs.
type Exec func(ctx context.Context, command []string) (output []byte, exitCode int, err error)

// Target is what is probed.
type Target struct {
	Host      string // the pod's address
	Container *corev1.Container
	Exec      Exec
}

// maxOutput bounds what a probe keeps of an answer, in bytes (the kubelet's limit).
const maxOutput = 10 << 10

// Check asks once, for at most the context's time. An error means that it could not be asked: no verdict.
func Check(ctx context.Context, h *corev1.ProbeHandler, t Target) (ok bool, output string, err error) {
	switch {
	case h.Exec != nil:
		return checkExec(ctx, h.Exec, t)
	case h.HTTPGet != nil:
		return checkHTTP(ctx, h.HTTPGet, t)
	case h.TCPSocket != nil:
		return checkTCP(ctx, h.TCPSocket, t)
	case h.GRPC != nil:
		return checkGRPC(ctx, h.GRPC, t)
	}
	return false, "", errors.New("the probe has no handler")
}

func checkExec(ctx context.Context, a *corev1.ExecAction, t Target) (bool, string, error) {
	limit := timeLeft(ctx)
	output, code, err := t.Exec(ctx, a.Command)
	if ctx.Err() != nil && !errors.Is(err, ErrNoAnswer) {
		return false, fmt.Sprintf("command timed out: %q timed out after %s", strings.Join(a.Command, " "), limit), nil
	}
	if err != nil {
		return false, "", err
	}
	return code == 0, string(output[:min(len(output), maxOutput)]), nil
}

// timeLeft is how long a context lasts, in whole seconds.
func timeLeft(ctx context.Context) time.Duration {
	end, _ := ctx.Deadline()
	return time.Until(end).Round(time.Second)
}

func checkTCP(ctx context.Context, a *corev1.TCPSocketAction, t Target) (bool, string, error) {
	address, err := address(a.Host, a.Port, t)
	if err != nil {
		return false, "", err
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return false, err.Error(), nil
	}
	return true, "", conn.Close()
}

// address joins a host, by default the pod's, and a port's number or name.
func address(host string, port intstr.IntOrString, t Target) (string, error) {
	if host == "" {
		host = t.Host
	}
	number, err := portNumber(port, t.Container)
	if err != nil {
		return "", err
	}
	return net.JoinHostPort(host, strconv.Itoa(number)), nil
}

func portNumber(port intstr.IntOrString, c *corev1.Container) (int, error) {
	number := port.IntValue()
	if port.Type == intstr.String && number == 0 {
		for _, p := range c.Ports {
			if p.Name == port.StrVal {
				number = int(p.ContainerPort)
			}
		}
	}
	if number < 1 || number > 65535 {
		return 0, fmt.Errorf("invalid port: %s", port.String())
	}
	return number, nil
}
