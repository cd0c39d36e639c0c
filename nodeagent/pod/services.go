package pod

import (
	"cmp"
	"context"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"leme/nodeagent/object"
)

// services is what the node's containers are told of the cluster's services.
type services struct {
	cache.Indexer
	api   *corev1.Service // the API itself; nil when no address of it is known
	once  sync.Once
	known chan struct{} // closed when the server has listed them
}

func newServices(api string) *services {
	return &services{
		Indexer: cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}),
		api:     ServiceOfAPI(api), known: make(chan struct{}),
	}
}

// run follows the cluster's services until the context ends.
func (s *services) run(ctx context.Context, client kubernetes.Interface) {
	object.Follow(ctx, client, client.CoreV1().Services(metav1.NamespaceAll), "", &corev1.Service{}, s)
}

// Replace takes a whole list; from the first one on, the services are known.
func (s *services) Replace(list []any, version string) error {
	defer s.once.Do(func() { close(s.known) })
	return s.Indexer.Replace(list, version)
}

// of are the services that a pod's containers are told of: the API, and those of its namespace unless the pod does not
// want them.
func (s *services) of(ctx context.Context, pod *corev1.Pod) ([]*corev1.Service, error) {
	var list []*corev1.Service
	if s.api != nil && reaches(pod, s.api) {
		list = append(list, s.api)
	}
	if links := pod.Spec.EnableServiceLinks; links != nil && !*links {
		return list, nil
	}
	if err := s.wait(ctx, pod); err != nil {
		return nil, err
	}
	objects, err := s.ByIndex(cache.NamespaceIndex, pod.Namespace)
	if err != nil {
		return nil, err
	}
	first := len(list)
	for _, o := range objects {
		if service := o.(*corev1.Service); service.Namespace != metav1.NamespaceDefault || service.Name != apiService {
			list = append(list, service)
		}
	}
	slices.SortFunc(list[first:], func(a, b *corev1.Service) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// wait returns when the services are known. A pod from a file does not wait for the server.
func (s *services) wait(ctx context.Context, pod *corev1.Pod) error {
	if fromFile(pod) {
		return nil
	}
	select {
	case <-s.known:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
