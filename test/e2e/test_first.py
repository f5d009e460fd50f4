import synthesis
def test_a(namespace, postgres):
    namespace.apply(synthesis.server())
    [pod] = namespace.deployment()
    import time; t=time.time()
    for e in pod.wait_init(120): print(e)
    print(time.time()-t)
    pod.wait_ready()
    print(time.time()-t)
    print(pod.delete())
    print(time.time()-t)
