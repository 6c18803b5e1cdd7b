// Lists the ConfigMaps of a namespace page by page, and watches until one of a name is there, by the kubeconfig that
// is named.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(kubeconfig, namespace, awaited string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	maps := client.CoreV1().ConfigMaps(namespace)
	options := metav1.ListOptions{Limit: 10}
	pages := 0
	version := ""
	for {
		list, err := maps.List(ctx, options)
		if err != nil {
			return err
		}
		pages++
		version = list.ResourceVersion
		for _, item := range list.Items {
			fmt.Println(item.Name)
		}
		if options.Continue = list.Continue; options.Continue == "" {
			break
		}
	}
	fmt.Println("pages", pages)
	watched, err := maps.Watch(ctx, metav1.ListOptions{ResourceVersion: version})
	if err != nil {
		return err
	}
	defer watched.Stop()
	fmt.Fprintln(os.Stderr, "watching")
	for event := range watched.ResultChan() {
		if object, ok := event.Object.(*corev1.ConfigMap); ok && object.Name == awaited {
			fmt.Println(event.Type, object.Name)
			return nil
		}
	}
	return fmt.Errorf("the watch ended")
}
