// Package volume makes a pod's volumes on the host, so that the engine can bind them into containers.
//
// Each type of volume is one file with one implementation of [Type]; the list in types.go names them all.
// What the agent keeps is under one directory a pod, and is gone after [Pod.TearDown]:
//
//	volumes/<name>            the volume's content
//	images/<name>             says which image a volume shows: see package imagevolume
//	subpaths/<container>/<n>  a bind mount for each subPath, made so that a symlink in the volume cannot lead out of it
//	readonly/<container>/<n>  a bind mount for each mount that is read-only with all that is mounted below it
package volume

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Objects gives the API objects that volumes are made of. A missing one is a NotFound of k8s.io/apimachinery/pkg/api/errors.
type Objects interface {
	ConfigMap(ctx context.Context, namespace, name string) (*corev1.ConfigMap, error)
	Secret(ctx context.Context, namespace, name string) (*corev1.Secret, error)
	// PersistentVolume is what a claim in the pod's namespace is bound to, and the claim; an error when that is nothing.
	PersistentVolume(ctx context.Context, pod *corev1.Pod, claim string) (*corev1.PersistentVolume, *corev1.PersistentVolumeClaim, error)
	// TrustAnchors is the certificates of the bundles that a volume's source asks for, as PEM. A missing one that may be
	// missing gives none.
	TrustAnchors(ctx context.Context, source *corev1.ClusterTrustBundleProjection) ([]byte, error)
	// Token is one of the pod's service account, with most of its life before it or being renewed.
	Token(ctx context.Context, pod *corev1.Pod, source *corev1.ServiceAccountTokenProjection) (string, error)
}

// Fields resolves downward API references.
type Fields interface {
	Field(pod *corev1.Pod, ref *corev1.ObjectFieldSelector) (string, error)
	Resource(pod *corev1.Pod, ref *corev1.ResourceFieldSelector) (string, error)
}

// Type is one type of volume source.
type Type interface {
	// Name is the field in the pod's spec: "emptyDir".
	Name() string
	// Uses says whether a volume is of this type.
	Uses(*corev1.VolumeSource) bool
	// SetUp makes the volume, or brings its content up to date: calling it again is harmless.
	// It returns the host's path of the content.
	SetUp(ctx context.Context, r Request) (string, error)
}

// Request is what a type needs to set one volume up.
type Request struct {
	Pod     *corev1.Pod
	Name    string // the volume's
	Source  *corev1.VolumeSource
	Dir     string // the volume's own directory; it may not exist yet
	Memory  int64  // that all pods of the node may use, in bytes; 0 when that is unknown
	Objects Objects
	Fields  Fields
}

// Pod is the volumes of one pod.
type Pod struct {
	Dir     string // the pod's directory
	Memory  int64  // that all pods of the node may use, in bytes; 0 when that is unknown
	Objects Objects
	Fields  Fields
}

// Error names the volume that could not be set up.
type Error struct {
	Volume string
	Err    error
}

func (e *Error) Error() string {
	return fmt.Sprintf("MountVolume.SetUp failed for volume %q : %v", e.Volume, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Errors are all that went wrong with the volumes of a pod.
type Errors []*Error

func (e Errors) Error() string {
	var all []string
	for _, one := range e {
		all = append(all, one.Error())
	}
	return strings.Join(all, "; ")
}

// SetUp makes or updates every volume of a pod and returns their paths by name. One that fails keeps none of the others
// from being brought up to date; the error is of type Errors then.
func (p Pod) SetUp(ctx context.Context, pod *corev1.Pod) (map[string]string, error) {
	paths := make(map[string]string, len(pod.Spec.Volumes))
	if len(pod.Spec.Volumes) == 0 {
		return paths, nil
	}
	dir, err := p.makeDirs("volumes")
	if err != nil {
		return nil, err
	}
	var failed Errors
	for i := range pod.Spec.Volumes {
		v := &pod.Spec.Volumes[i]
		path, err := p.setUp(ctx, pod, v, filepath.Join(dir, v.Name))
		if err != nil {
			failed = append(failed, &Error{Volume: v.Name, Err: err})
		}
		paths[v.Name] = path
	}
	if len(failed) > 0 {
		return nil, failed
	}
	return paths, nil
}

func (p Pod) setUp(ctx context.Context, pod *corev1.Pod, v *corev1.Volume, dir string) (string, error) {
	t := typeOf(&v.VolumeSource)
	if t == nil {
		return "", fmt.Errorf("volume type %q is not supported", sourceName(&v.VolumeSource))
	}
	if err := clearFor(dir, fs.FileMode.IsDir); err != nil {
		return "", err
	}
	return t.SetUp(ctx, Request{
		Pod: pod, Name: v.Name, Source: &v.VolumeSource, Objects: p.Objects, Fields: p.Fields, Memory: p.Memory, Dir: dir,
	})
}

// TearDown unmounts and removes all that was made for the pod. Tearing down what is gone is no error.
func (p Pod) TearDown() error {
	if err := remove(p.Dir); err != nil {
		return fmt.Errorf("removing the pod's directory: %w", err)
	}
	return nil
}

// Free removes the volumes of a pod that has ended. What else is kept of it stays, for what it said when it ended.
func (p Pod) Free() error {
	for _, kind := range []string{"readonly", "subpaths", "volumes", images} {
		if err := remove(filepath.Join(p.Dir, kind)); err != nil {
			return fmt.Errorf("removing the pod's %s: %w", kind, err)
		}
	}
	return nil
}
