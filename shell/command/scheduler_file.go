package command

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/resource"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
)

// templatePaths are where kinds have a pod template.
var templatePaths = [][]string{{"spec", "template"}, {"spec", "jobTemplate", "spec", "template"}, {"template"}}

// podFromFile reads a file that has one object: a pod, or one with a pod template.
func podFromFile(f cmdutil.Factory, file, namespace string, enforced bool) (*corev1.Pod, error) {
	infos, err := f.NewBuilder().Unstructured().NamespaceParam(namespace).DefaultNamespace().
		FilenameParam(enforced, &resource.FilenameOptions{Filenames: []string{file}}).Flatten().Do().Infos()
	if err != nil {
		return nil, err
	}
	if len(infos) != 1 {
		return nil, fmt.Errorf("%s has %d objects, and must have one", file, len(infos))
	}
	object := infos[0].Object.(*unstructured.Unstructured)
	pod := &corev1.Pod{}
	if object.GetKind() == "Pod" {
		err = runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, pod)
	} else {
		pod, err = podOfTemplate(object)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	pod.Namespace = infos[0].Namespace
	return pod, nil
}

// podOfTemplate is a pod as the object's controller would make it.
func podOfTemplate(object *unstructured.Unstructured) (*corev1.Pod, error) {
	for _, path := range templatePaths {
		found, ok, err := unstructured.NestedMap(object.Object, path...)
		if !ok || err != nil {
			continue
		}
		var template corev1.PodTemplateSpec
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(found, &template); err != nil {
			return nil, err
		}
		pod := &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
		pod.Name, pod.GenerateName = "", object.GetName()+"-"
		return pod, nil
	}
	return nil, fmt.Errorf("a %s has no pod template", object.GetKind())
}
