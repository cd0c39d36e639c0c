package everykind

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"leme/test/loopback"
)

// patience bounds every wait: far more than anything takes.
const patience = time.Minute

// clients are client-go's, all for one server and its administrator.
type clients struct {
	config   *rest.Config
	typed    kubernetes.Interface
	dynamic  dynamic.Interface
	metadata metadata.Interface
	raw      *rest.RESTClient // for what needs a header or a status code
}

// start runs a whole server on a loopback port until the test ends.
func start(t *testing.T) *clients {
	t.Helper()
	return newClients(t, loopback.Server(t))
}

func newClients(t *testing.T, kubeconfig string) *clients {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	config.WarningHandler = rest.NoWarnings{}
	raw := rest.CopyConfig(config)
	raw.GroupVersion = &metav1.Unversioned
	raw.NegotiatedSerializer = codecs
	client, err := rest.UnversionedRESTClientFor(raw)
	if err != nil {
		t.Fatal(err)
	}
	return &clients{
		config: config, typed: kubernetes.NewForConfigOrDie(config), raw: client,
		dynamic: dynamic.NewForConfigOrDie(config), metadata: metadata.NewForConfigOrDie(config),
	}
}
