package simulated

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"
)

// follower takes what a watch tells. restart comes before what there is, synced when all of it has been told.
type follower struct {
	watch   func(context.Context, metav1.ListOptions) (watch.Interface, error)
	restart func()
	change  func(watch.EventType, runtime.Object)
	synced  func()
}

const reconnect = time.Second

// run follows until the context ends; a watch that ends goes on where it was.
func (f follower) run(ctx context.Context) {
	version := ""
	for ctx.Err() == nil {
		var err error
		if version, err = f.once(ctx, version); err == nil || ctx.Err() != nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(reconnect):
		}
	}
}

// once is one watch, from what there is when version is empty. It returns where the next is to begin.
func (f follower) once(ctx context.Context, version string) (string, error) {
	o := metav1.ListOptions{AllowWatchBookmarks: true, ResourceVersion: version}
	if version == "" {
		o.SendInitialEvents, o.ResourceVersionMatch = ptr.To(true), metav1.ResourceVersionMatchNotOlderThan
	}
	w, err := f.watch(ctx, o)
	if err != nil {
		return afterError(err, version), err
	}
	defer w.Stop()
	synced := version != ""
	if !synced {
		f.restart()
	}
	for e := range w.ResultChan() {
		if e.Type == watch.Error {
			err := apierrors.FromObject(e.Object)
			return afterError(err, version), err
		}
		object, err := meta.Accessor(e.Object)
		if err != nil {
			return "", err
		}
		switch {
		case e.Type != watch.Bookmark:
			f.change(e.Type, e.Object)
		case object.GetAnnotations()[metav1.InitialEventsAnnotationKey] == "true":
			synced = true
			f.synced()
		}
		if synced { // what there is comes in no order of versions
			version = object.GetResourceVersion()
		}
	}
	return version, nil
}

// afterError is where to go on: from the start when the server has forgotten what was.
func afterError(err error, version string) string {
	if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
		return ""
	}
	return version
}
