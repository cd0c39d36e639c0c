package server

import (
	"context"
	"errors"
	"iter"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"leme/server/kind"
	"leme/server/resource"
)

// ImagesInUse lists the images that pods run or that workloads would run, as their containers name them. It may name one
// several times.
func (s *Server) ImagesInUse(context.Context) ([]string, error) {
	p := s.serving.Load()
	if p == nil {
		return nil, errors.New("the server is not ready")
	}
	var images []string
	for spec := range podSpecs(p.api) {
		images = append(images, imagesOf(spec)...)
	}
	return images, nil
}

// podSpecs are those of all pods, and of all that makes pods.
func podSpecs(api *resource.API) iter.Seq[*corev1.PodSpec] {
	return func(yield func(*corev1.PodSpec) bool) {
		_ = each(api, kind.Pod, func(o *corev1.Pod) *corev1.PodSpec { return &o.Spec }, yield) &&
			each(api, kind.PodTemplate, func(o *corev1.PodTemplate) *corev1.PodSpec { return &o.Template.Spec }, yield) &&
			each(api, kind.ReplicationController, func(o *corev1.ReplicationController) *corev1.PodSpec {
				if o.Spec.Template == nil {
					return &corev1.PodSpec{}
				}
				return &o.Spec.Template.Spec
			}, yield) &&
			each(api, kind.ReplicaSet, func(o *appsv1.ReplicaSet) *corev1.PodSpec { return &o.Spec.Template.Spec }, yield) &&
			each(api, kind.Deployment, func(o *appsv1.Deployment) *corev1.PodSpec { return &o.Spec.Template.Spec }, yield) &&
			each(api, kind.StatefulSet, func(o *appsv1.StatefulSet) *corev1.PodSpec { return &o.Spec.Template.Spec }, yield) &&
			each(api, kind.DaemonSet, func(o *appsv1.DaemonSet) *corev1.PodSpec { return &o.Spec.Template.Spec }, yield) &&
			each(api, kind.Job, func(o *batchv1.Job) *corev1.PodSpec { return &o.Spec.Template.Spec }, yield) &&
			each(api, kind.CronJob, func(o *batchv1.CronJob) *corev1.PodSpec { return &o.Spec.JobTemplate.Spec.Template.Spec }, yield)
	}
}

func each[T runtime.Object](api *resource.API, k *kind.Kind, spec func(T) *corev1.PodSpec, yield func(*corev1.PodSpec) bool) bool {
	for _, obj := range resource.For[T](api, k, "").List("", nil) {
		if !yield(spec(obj)) {
			return false
		}
	}
	return true
}

// imagesOf are the images of a pod's containers and volumes.
func imagesOf(s *corev1.PodSpec) []string {
	var images []string
	for _, list := range [][]corev1.Container{s.InitContainers, s.Containers} {
		for i := range list {
			images = append(images, list[i].Image)
		}
	}
	for i := range s.EphemeralContainers {
		images = append(images, s.EphemeralContainers[i].Image)
	}
	for i := range s.Volumes {
		if v := s.Volumes[i].Image; v != nil {
			images = append(images, v.Reference)
		}
	}
	return images
}
