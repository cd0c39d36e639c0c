package everykind

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/features"
	featurestesting "k8s.io/client-go/features/testing"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// TestInformers follows every kind as controllers do, in typed objects, untyped ones and metadata, beginning with a list
// and with a watch that streams it.
func TestInformers(t *testing.T) {
	c := start(t)
	served := discover(t, c)
	for _, streams := range []bool{true, false} {
		t.Run(fmt.Sprintf("WatchList=%t", streams), func(t *testing.T) {
			featurestesting.SetFeatureDuringTest(t, features.WatchListClient, streams)
			counted, streamed := counting(c)
			f := newFollowers(counted, served)
			defer f.stop()
			f.start(t)
			if (streamed.Load() > 0) != streams {
				t.Errorf("%d watches began with what there is", streamed.Load())
			}
			for _, r := range served.resources {
				if r.followed() {
					t.Run(fileName(r.gvr), func(t *testing.T) { f.follow(t, informed(t, counted, r, streams)) })
				}
			}
		})
	}
}

// informed is a subject in a namespace of its own.
func informed(t *testing.T, c *clients, r resource, streams bool) *subject {
	t.Helper()
	s := &subject{clients: c, resource: r}
	if r.Namespaced {
		s.namespace = strings.ReplaceAll(fmt.Sprintf("informed-%s-%t", strings.TrimSuffix(fileName(r.gvr), ".yaml"), streams), ".", "-")
		c.newNamespace(t, s.namespace)
	}
	s.example = load(t, r.gvr, s.namespace)
	return s
}

// counting are clients whose watches that begin with what there is are counted.
func counting(c *clients) (*clients, *atomic.Int64) {
	var streamed atomic.Int64
	config := rest.CopyConfig(c.config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.URL.Query().Get("sendInitialEvents") == "true" {
				streamed.Add(1)
			}
			return next.RoundTrip(r)
		})
	})
	return &clients{
		config: config, typed: kubernetes.NewForConfigOrDie(config), raw: c.raw,
		dynamic: dynamic.NewForConfigOrDie(config), metadata: metadata.NewForConfigOrDie(config),
	}, &streamed
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// followed tells a kind that can be made and watched.
func (r *resource) followed() bool { return r.serves("create") && r.serves("watch") }

// followers are informers of every such kind, of each of the three sorts.
type followers struct {
	typed    informers.SharedInformerFactory
	dynamic  dynamicinformer.DynamicSharedInformerFactory
	metadata metadatainformer.SharedInformerFactory
	ctx      context.Context
	stop     func()
}

func newFollowers(c *clients, served *served) *followers {
	ctx, cancel := context.WithCancel(context.Background())
	f := &followers{
		typed:    informers.NewSharedInformerFactory(c.typed, 0),
		dynamic:  dynamicinformer.NewDynamicSharedInformerFactory(c.dynamic, 0),
		metadata: metadatainformer.NewSharedInformerFactory(c.metadata, 0),
		ctx:      ctx,
	}
	f.stop = func() {
		cancel()
		f.typed.Shutdown()
		f.dynamic.Shutdown()
		f.metadata.Shutdown()
	}
	for _, r := range served.resources {
		if r.followed() {
			f.of(r)
		}
	}
	return f
}

// of is a kind's informers, by their sort. A factory gives the same one each time.
func (f *followers) of(r resource) map[string]cache.SharedIndexInformer {
	all := map[string]cache.SharedIndexInformer{
		"dynamic":  f.dynamic.ForResource(r.gvr).Informer(),
		"metadata": f.metadata.ForResource(r.gvr).Informer(),
	}
	if typed, err := f.typed.ForResource(r.gvr); err == nil {
		all["typed"] = typed.Informer()
	}
	return all
}

func (f *followers) start(t *testing.T) {
	t.Helper()
	f.typed.Start(f.ctx.Done())
	f.dynamic.Start(f.ctx.Done())
	f.metadata.Start(f.ctx.Done())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for what, ok := range f.typed.WaitForCacheSync(ctx.Done()) {
		if !ok {
			t.Errorf("%v did not sync", what)
		}
	}
	for what, ok := range f.dynamic.WaitForCacheSync(ctx.Done()) {
		if !ok {
			t.Errorf("%v did not sync", what)
		}
	}
	for what, ok := range f.metadata.WaitForCacheSync(ctx.Done()) {
		if !ok {
			t.Errorf("the metadata of %v did not sync", what)
		}
	}
}

// follow sees an object come, change and go in all the informers of its kind.
func (f *followers) follow(t *testing.T, s *subject) {
	all := f.of(s.resource)
	if len(all) != 3 {
		t.Errorf("client-go has no typed informer for %s", s.gvr)
	}
	made := s.make(t)
	name := made.GetName()
	key := cache.NewObjectName(s.namespace, name).String()
	awaitAll(t, all, key, func(_ map[string]string, there bool) bool { return there })
	if s.serves("patch") {
		s.patch(t, name, labelled("informed", "yes"))
		awaitAll(t, all, key, func(labels map[string]string, _ bool) bool { return labels["informed"] == "yes" })
	}
	s.remove(t, name)
	awaitAll(t, all, key, func(_ map[string]string, there bool) bool { return !there })
	_, err := s.objects().Get(t.Context(), name, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("the informers lost it while it is there: %v", err)
	}
}

// awaitAll waits until each informer's store shows what is looked for.
func awaitAll(t *testing.T, all map[string]cache.SharedIndexInformer, key string, holds func(labels map[string]string, there bool) bool) {
	t.Helper()
	for sort, informer := range all {
		eventually(t, sort+" "+key, func(context.Context) error {
			obj, there, err := informer.GetStore().GetByKey(key)
			if err != nil {
				return err
			}
			var labels map[string]string
			if there {
				labels = obj.(interface{ GetLabels() map[string]string }).GetLabels()
			}
			if !holds(labels, there) {
				return errors.New("the store does not show it yet")
			}
			return nil
		})
	}
}
