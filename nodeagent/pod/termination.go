package pod

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
)

// Limits of termination messages (core/v1 Container.terminationMessagePolicy).
const (
	maxMessage   = 4096     // bytes
	maxFromLog   = 2048     // bytes
	maxLogLength = 80       // lines
	maxMessages  = 12 << 10 // bytes, of all containers of a pod
)

// messageLimit is a container's part of what a pod may leave to say.
func messageLimit(pod *corev1.Pod) int {
	return min(maxMessage, maxMessages/max(1, len(pod.Spec.Containers)+len(pod.Spec.InitContainers)+len(pod.Spec.EphemeralContainers)))
}

// message is what a container that ended left to say: its file, or the end of its log where the policy allows it.
func (f files) message(ctx context.Context, r Runtime, c *corev1.Container, ended Container) (string, error) {
	text, err := f.readMessage(ended)
	if err != nil || text != "" {
		return text, err
	}
	if c.TerminationMessagePolicy != corev1.TerminationMessageFallbackToLogsOnError || ended.ExitCode == 0 {
		return "", nil
	}
	tail, err := r.Tail(ctx, ended.ID, maxFromLog)
	if err != nil {
		return "", err
	}
	return lastLines(tail, maxLogLength), nil
}

func (f files) readMessage(ended Container) (string, error) {
	file, err := os.OpenFile(f.messagePath(ended.Name, ended.Attempt), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", err // it is not what the container had
	}
	text, err := io.ReadAll(io.LimitReader(file, maxMessage))
	return string(text), err
}

func lastLines(text []byte, n int) string {
	for at := len(text) - 1; at > 0; {
		at = bytes.LastIndexByte(text[:at], '\n')
		if at < 0 {
			break
		}
		if n--; n == 0 {
			return string(text[at+1:])
		}
	}
	return string(text)
}
