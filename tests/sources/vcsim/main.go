// Command vcsim is a vCenter for tests: govmomi's simulator with guests from a JSON file of {name: {guest, config…}}.
//
// It prints its address, and ends when its standard input does.
package main

import (
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/url"
	"os"

	"github.com/vmware/govmomi/simulator"
	_ "github.com/vmware/govmomi/vapi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

type machine struct {
	Name, GuestID string
	Template      bool
	Off           bool
	Guest         types.GuestInfo
}

func main() {
	model := simulator.VPX()
	flag.IntVar(&model.Datacenter, "datacenters", 1, "datacenters")
	flag.IntVar(&model.Machine, "machines", 2, "machines in each resource pool")
	flag.IntVar(&model.Pool, "pools", 0, "resource pools in each cluster")
	flag.IntVar(&model.Folder, "folders", 0, "datacenters that are in folders of their own")
	alone := flag.Bool("esx", false, "an ESXi host without a vCenter")
	user := flag.String("user", "reader", "name for the login")
	password := flag.String("password", "secret", "password for the login")
	certificate := flag.String("certificate", "", "PEM file with the certificate of the server")
	key := flag.String("key", "", "PEM file with its key")
	file := flag.String("guests", "", "JSON file: what the machines are, by the names that the simulator gives them")
	flag.Parse()
	if *alone {
		machines := model.Machine
		model = simulator.ESX()
		model.Machine = machines
	}
	check(model.Create())
	defer model.Remove()
	if *file != "" {
		fill(*file)
	}
	pair, err := tls.LoadX509KeyPair(*certificate, *key)
	check(err)
	model.Service.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	model.Service.RegisterEndpoints = true
	model.Service.Listen = &url.URL{User: url.UserPassword(*user, *password)}
	server := model.Service.NewServer()
	fmt.Println(server.URL.Host)
	_, err = io.Copy(io.Discard, os.Stdin)
	check(err)
}

func fill(file string) {
	text, err := os.ReadFile(file)
	check(err)
	machines := map[string]machine{}
	check(json.Unmarshal(text, &machines))
	for _, entity := range simulator.Map.All("VirtualMachine") {
		vm := entity.(*simulator.VirtualMachine)
		told, known := machines[vm.Name]
		if !known {
			continue
		}
		if told.Name != "" {
			vm.Name, vm.Config.Name = told.Name, told.Name
		}
		if told.GuestID != "" {
			vm.Config.GuestId = told.GuestID
		}
		if told.Off {
			vm.Runtime.PowerState = types.VirtualMachinePowerStatePoweredOff
		}
		vm.Config.Template, vm.Summary.Config.Template = told.Template, told.Template
		vm.Guest = &told.Guest
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
