package staticpod

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
)

// maxManifest is how many bytes a file may have.
const maxManifest = 10 << 20

// Annotations of pods from files, as the kubelet sets them.
const (
	// HashAnnotation holds what the pod's file says in short: the pod's UID.
	HashAnnotation   = "kubernetes.io/config.hash"
	sourceAnnotation = "kubernetes.io/config.source"
	seenAnnotation   = "kubernetes.io/config.seen"
)

// A static pod that says nothing of its priority is as critical as can be: no other comes in its place.
const (
	criticalClass    = "system-node-critical"
	criticalPriority = 2_000_001_000
)

// readFile reads a regular file of a bounded size.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	text, err := io.ReadAll(io.LimitReader(f, maxManifest+1))
	if len(text) > maxManifest {
		return nil, fmt.Errorf("it has more than %d bytes", maxManifest)
	}
	return text, err
}

// decode makes the pod of a file's text for a node, whole and checked.
func decode(text []byte, file, node string, prepare func(*corev1.Pod) error) (*corev1.Pod, error) {
	js, err := yaml.ToJSON(text)
	if err != nil {
		return nil, fmt.Errorf("couldn't parse as pod: %w", err)
	}
	object, _, err := scheme.Codecs.UniversalDeserializer().Decode(js, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("couldn't parse as pod: %w", err)
	}
	p, ok := object.(*corev1.Pod)
	switch {
	case !ok:
		return nil, fmt.Errorf("invalid pod: it is a %s", object.GetObjectKind().GroupVersionKind().Kind)
	case p.Name == "":
		return nil, errors.New("invalid pod: name is needed for the pod")
	case strings.ContainsRune(string(p.UID), '/') || strings.HasPrefix(string(p.UID), "."):
		return nil, fmt.Errorf("invalid pod: its UID %q names no directory", p.UID)
	}
	if err := identify(p, file, node); err != nil {
		return nil, err
	}
	settlePriority(&p.Spec)
	if err := prepare(p); err != nil {
		return nil, fmt.Errorf("invalid pod: %w", err)
	}
	if errs := apivalidation.ValidateObjectMeta(&p.ObjectMeta, true, apivalidation.NameIsDNSSubdomain, field.NewPath("metadata")); len(errs) > 0 {
		return nil, fmt.Errorf("invalid pod: %w", errs.ToAggregate())
	}
	return p, nil
}

// identify gives the pod its UID, names and node, and the toleration that lets it outlive its node's troubles.
func identify(p *corev1.Pod, file, node string) error {
	if p.UID == "" {
		said, err := json.Marshal(p)
		if err != nil {
			return err
		}
		hash := fnv.New128a()
		fmt.Fprintf(hash, "%shost:%sfile:%s", said, node, file)
		p.UID = types.UID(hex.EncodeToString(hash.Sum(nil)))
	}
	p.Name += "-" + strings.ToLower(node)
	if p.Namespace == "" {
		p.Namespace = metav1.NamespaceDefault
	}
	p.Spec.NodeName = node
	if p.Annotations == nil {
		p.Annotations = map[string]string{}
	}
	p.Annotations[HashAnnotation], p.Annotations[sourceAnnotation] = string(p.UID), "file"
	always := corev1.Toleration{Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute}
	if !slices.ContainsFunc(p.Spec.Tolerations, func(t corev1.Toleration) bool { return t.MatchToleration(&always) }) {
		p.Spec.Tolerations = append(p.Spec.Tolerations, always)
	}
	p.Status = corev1.PodStatus{Phase: corev1.PodPending}
	return nil
}

func settlePriority(s *corev1.PodSpec) {
	if s.Priority == nil && (s.PriorityClassName == "" || s.PriorityClassName == criticalClass) {
		critical := int32(criticalPriority)
		s.PriorityClassName, s.Priority = criticalClass, &critical
	}
}
