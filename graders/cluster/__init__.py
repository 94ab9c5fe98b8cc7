"""Many machines: the work of :mod:`graders.batch` in the workers of a dask cluster.

Between here and there go bytes alone (:mod:`parcels`). A worker of the cluster (:mod:`post`) keeps desks
(:mod:`desk`): processes apart from dask, each of which grades as one machine does. Here a crew (:mod:`crew`)
says who gets what, believes no answer before it was looked at (:mod:`answers`), and writes alone.
"""
