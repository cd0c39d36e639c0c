package object

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// bundles keeps the cluster's trust bundles while pods use any. All of them are watched together, as a pod may ask for
// those of a signer, whichever they are.
type bundles struct {
	client kubernetes.Interface
	notify func(types.UID)

	mu    sync.Mutex
	users map[types.UID]bool
	stop  context.CancelFunc
	all   map[string]*certificatesv1.ClusterTrustBundle
	known chan struct{} // closed once the server has listed them; nil while nobody uses them
}

func newBundles(client kubernetes.Interface, notify func(types.UID)) *bundles {
	return &bundles{client: client, notify: notify, users: map[types.UID]bool{}, stop: func() {}}
}

// TrustAnchors is the certificates of the trust bundles that a volume's source names, each once and in a fixed order, as
// PEM. When there are none, that is an error, unless the source is optional.
func (v View) TrustAnchors(ctx context.Context, source *corev1.ClusterTrustBundleProjection) ([]byte, error) {
	all, err := v.cache.trustBundles(ctx, v.pod)
	if err != nil {
		return nil, err
	}
	chosen, err := choose(all, source)
	if err != nil || len(chosen) == 0 {
		return nil, err
	}
	return anchors(chosen), nil
}

// choose picks the bundles that a source asks for; none is an error unless it is optional.
func choose(all map[string]*certificatesv1.ClusterTrustBundle, source *corev1.ClusterTrustBundleProjection) ([]*certificatesv1.ClusterTrustBundle, error) {
	optional := source.Optional != nil && *source.Optional
	if source.Name != nil {
		if b := all[*source.Name]; b != nil {
			return []*certificatesv1.ClusterTrustBundle{b}, nil
		}
		if optional {
			return nil, nil
		}
		return nil, fmt.Errorf("while getting ClusterTrustBundle: %w", apierrors.NewNotFound(certificatesv1.Resource("clustertrustbundle"), *source.Name))
	}
	selector, err := metav1.LabelSelectorAsSelector(source.LabelSelector)
	if err != nil {
		return nil, fmt.Errorf("while parsing label selector: %w", err)
	}
	var chosen []*certificatesv1.ClusterTrustBundle
	for _, b := range all {
		if source.SignerName != nil && b.Spec.SignerName == *source.SignerName && selector.Matches(labels.Set(b.Labels)) {
			chosen = append(chosen, b)
		}
	}
	if len(chosen) == 0 && !optional {
		return nil, errors.New("combination of signerName and labelSelector matched zero ClusterTrustBundles")
	}
	return chosen, nil
}

// anchors joins the certificates of bundles, sorted.
func anchors(chosen []*certificatesv1.ClusterTrustBundle) []byte {
	found := map[string]bool{}
	for _, b := range chosen {
		for block, rest := pem.Decode([]byte(b.Spec.TrustBundle)); block != nil; block, rest = pem.Decode(rest) {
			found[string(block.Bytes)] = true
		}
	}
	var text bytes.Buffer
	for _, certificate := range slices.Sorted(maps.Keys(found)) {
		text.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte(certificate)}))
	}
	return text.Bytes()
}

// trustBundles are all that there are, for a pod that is told of changes from now on.
func (c *Cache) trustBundles(ctx context.Context, pod types.UID) (map[string]*certificatesv1.ClusterTrustBundle, error) {
	known := c.useBundles(pod)
	limit := time.NewTimer(firstAnswer)
	defer limit.Stop()
	select {
	case <-known:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-limit.C:
		return nil, errors.New("the server did not answer for the cluster's trust bundles")
	}
	b := c.bundles
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.all), nil
}

// useBundles counts a pod among those that use the bundles, and has them watched.
func (c *Cache) useBundles(pod types.UID) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.bundles
	b.mu.Lock()
	defer b.mu.Unlock()
	b.users[pod] = true
	if b.known == nil {
		b.all, b.known = map[string]*certificatesv1.ClusterTrustBundle{}, make(chan struct{})
		c.startBundles()
	}
	return b.known
}

// startBundles begins their watch, if the cache runs and anybody uses them; c.mu is held, and that of the bundles.
func (c *Cache) startBundles() {
	b := c.bundles
	if c.ctx == nil || b.known == nil {
		return
	}
	ctx, cancel := context.WithCancel(c.ctx)
	b.stop = cancel
	w := &bundleWatch{bundles: b, known: b.known, all: b.all}
	c.running.Go(func() {
		Follow(ctx, c.client, c.client.CertificatesV1().ClusterTrustBundles(), "", &certificatesv1.ClusterTrustBundle{}, w)
	})
}

// release forgets a pod, and the bundles with the last one.
func (b *bundles) release(pod types.UID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.users, pod)
	if len(b.users) == 0 && b.known != nil {
		b.stop()
		b.all, b.known = nil, nil
	}
}

// bundleWatch is the bundles as what one reflector fills (cache.ReflectorStore). One that was stopped fills what nobody
// reads any more.
type bundleWatch struct {
	*bundles
	once  sync.Once
	known chan struct{}
	all   map[string]*certificatesv1.ClusterTrustBundle
}

func (w *bundleWatch) Add(obj any) error    { return w.change(obj, false) }
func (w *bundleWatch) Update(obj any) error { return w.change(obj, false) }
func (w *bundleWatch) Delete(obj any) error { return w.change(obj, true) }
func (w *bundleWatch) Resync() error        { return nil }

func (w *bundleWatch) change(obj any, gone bool) error {
	if unknown, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		obj = unknown.Obj
	}
	b, ok := obj.(*certificatesv1.ClusterTrustBundle)
	if !ok {
		return nil
	}
	w.set(func() {
		if gone {
			delete(w.all, b.Name)
		} else {
			w.all[b.Name] = b
		}
	})
	return nil
}

func (w *bundleWatch) Replace(list []any, _ string) error {
	w.set(func() {
		clear(w.all)
		for _, obj := range list {
			if b, ok := obj.(*certificatesv1.ClusterTrustBundle); ok {
				w.all[b.Name] = b
			}
		}
	})
	w.once.Do(func() { close(w.known) })
	return nil
}

// set changes the bundles and tells who uses them.
func (w *bundleWatch) set(change func()) {
	w.mu.Lock()
	change()
	users := slices.Collect(maps.Keys(w.users))
	w.mu.Unlock()
	for _, uid := range users {
		w.notify(uid)
	}
}
