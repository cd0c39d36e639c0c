package command

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// logs writes out what the containers of the namespaces' pods have said. One that cannot be read is no error: it is
// often why one looks.
func (o dumpOptions) logs(ctx context.Context) error {
	for _, n := range o.namespaces {
		pods, err := o.client.CoreV1().Pods(n).List(ctx, metav1.ListOptions{})
		if err != nil {
			return fmt.Errorf("listing pods: %w", err)
		}
		for _, p := range pods.Items {
			for _, c := range slices.Concat(p.Spec.InitContainers, p.Spec.Containers) {
				if err := o.log(ctx, p, c.Name); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (o dumpOptions) log(ctx context.Context, p corev1.Pod, container string) error {
	limit := int64(dumpLog)
	options := &corev1.PodLogOptions{Container: container, LimitBytes: &limit}
	said, err := o.client.CoreV1().Pods(p.Namespace).GetLogs(p.Name, options).Stream(ctx)
	if err != nil {
		said = io.NopCloser(strings.NewReader("no log: " + err.Error() + "\n"))
	}
	defer said.Close()
	head := fmt.Sprintf("==== log of container %s of pod %s/%s ====\n", container, p.Namespace, p.Name)
	return o.write(io.MultiReader(strings.NewReader(head), said), p.Namespace, filepath.Join(p.Name, container+".log"))
}

// write passes text on to standard output or to a file of its own.
func (o dumpOptions) write(text io.Reader, folder, name string) error {
	if o.directory == "" {
		_, err := io.Copy(o.env.Streams.Out, text)
		return err
	}
	path := filepath.Join(o.directory, folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, text); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}
