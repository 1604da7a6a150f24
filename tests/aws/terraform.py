"""Does what Terraform's provider for AWS does with clusters and HSMs: its calls, and the states that it waits for."""

import os
import time

import boto3
from botocore.config import Config

client = boto3.client(
    "cloudhsmv2",
    region_name="us-east-1",
    aws_access_key_id="any",
    aws_secret_access_key="any",
    config=Config(retries={"total_max_attempts": 1}),
)


def wait(look, pending, target):
    """Fails at any state that is neither pending nor wanted, as the provider does; `None` is what is not found."""
    seen = []
    for _ in range(600):
        found = look()
        state = found and found["State"]
        seen.append(state)
        if state == target:
            return found
        assert state in pending, (state, pending, target)
        time.sleep(0.1)
    raise AssertionError(seen)


def cluster(cluster_id):
    found = client.describe_clusters(Filters={"clusterIds": [cluster_id]})["Clusters"]
    return found[0] if found and found[0]["State"] != "DELETED" else None


def hsm(hsm_id=None, interface=None):
    """In an unfiltered list: by its id, or by its network interface."""
    for page in client.get_paginator("describe_clusters").paginate():
        for one in page["Clusters"]:
            for found in one["Hsms"]:
                if found["HsmId"] == hsm_id or found["EniId"] == interface:
                    return found
    return None


def create_cluster(**members):
    made = client.create_cluster(HsmType="hsm2m.medium", Mode="FIPS", TagList=[{"Key": "a", "Value": "1"}], **members)
    assert made["Cluster"]["State"] == "CREATE_IN_PROGRESS", made
    cluster_id = made["Cluster"]["ClusterId"]
    target = "ACTIVE" if "SourceBackupId" in members else "UNINITIALIZED"
    return wait(lambda: cluster(cluster_id), ("CREATE_IN_PROGRESS", "INITIALIZE_IN_PROGRESS"), target)


def create_hsm(made, subnet):
    [zone] = [zone for zone, one in made["SubnetMapping"].items() if one == subnet]
    new = client.create_hsm(ClusterId=made["ClusterId"], AvailabilityZone=zone)["Hsm"]
    assert new["State"] == "CREATE_IN_PROGRESS", new
    found = wait(lambda: hsm(new["HsmId"], new["EniId"]), ("CREATE_IN_PROGRESS",), "ACTIVE")
    assert found["SubnetId"] == subnet, found
    assert hsm(interface=new["EniId"]) == hsm(hsm_id=new["HsmId"]) == found
    return found


def retag(made):
    client.untag_resource(ResourceId=made["ClusterId"], TagKeyList=["a"])
    client.tag_resource(ResourceId=made["ClusterId"], TagList=[{"Key": "b", "Value": "2"}])
    assert cluster(made["ClusterId"])["TagList"] == [{"Key": "b", "Value": "2"}]


def destroy(made, one=None):
    if one:
        client.delete_hsm(ClusterId=made["ClusterId"], HsmId=one["HsmId"])
        wait(lambda: hsm(one["HsmId"], one["EniId"]), ("DELETE_IN_PROGRESS",), None)
    gone = client.delete_cluster(ClusterId=made["ClusterId"])["Cluster"]
    assert gone["State"] == "DELETE_IN_PROGRESS", gone
    wait(lambda: cluster(made["ClusterId"]), ("DELETE_IN_PROGRESS",), None)


def main():
    made = create_cluster(SubnetIds=["subnet-0e358c43", "subnet-1e358c44"])
    one = create_hsm(made, "subnet-1e358c44")
    retag(made)
    destroy(made, one)
    backup = os.environ.get("BACKUP")
    if backup:
        restored = create_cluster(SubnetIds=["subnet-0e358c43"], SourceBackupId=backup)
        assert restored["Hsms"] == [] and restored["SourceBackupId"] == backup, restored
        destroy(restored, create_hsm(restored, "subnet-0e358c43"))
    print("done")


main()
