"""A small example of every landscape, for the gallery.

As on a command line, two-dimensional or a few bits where the kind allows.
"""

BOWL = "{kind: quadratic, dim: 2, condition: 4}"
EXAMPLES: dict[str, tuple[str, ...]] = {  # kind -> words as `studies.probe.named` reads them
    "onemax": ("onemax:n=5",),
    "leading_ones": ("leading_ones:n=5",),
    "jump": ("jump:n=5,width=2",),
    "trap": ("trap:n=5,block=5",),
    "royal_road": ("royal_road:n=4,block=2",),
    "valley_crossing": ("valley_crossing:n=5,width=2",),
    "nk": ("nk:n=5,k=0", "nk:n=5,k=2", "nk:n=14,k=4"),
    "mount_fuji": ("mount_fuji:n=5,slope=1",),
    "house_of_cards": ("house_of_cards:n=5",),
    "empirical": ("empirical",),
    "spin_glass": ("spin_glass:n=5", "spin_glass:n=16,graph=lattice"),
    "max_sat": ("max_sat:n=14,ratio=4.2",),
    "labs": ("labs:n=16",),
    "quantitative_trait": ("quantitative_trait:n=14,width=1",),
    "quadratic": ("quadratic:dim=2,condition=10,rotated=true,shifted=true",),
    "rosenbrock": ("rosenbrock:dim=2",),
    "canyon": ("canyon:dim=2,condition=100",),
    "saddle": ("saddle:dim=2,confinement=1",),
    "double_well": ("double_well:dim=2,tilt=0.2",),
    "fisher": ("fisher:dim=2,selection_condition=4",),
    "cosine_rugged": ("cosine_rugged:dim=2,ruggedness=5,wavelength=2",),
    "gaussian_field": (
        "gaussian_field:dim=2,length=1,bowl=1",
        "gaussian_field:dim=2,spectrum=matern,smoothness=1.5,bowl=0",
    ),
    "bbob": tuple(f"bbob:function={number},dim=2" for number in range(1, 25)),
    "bbob_noisy": tuple(
        f"bbob_noisy:function={number},dim=2" for number in (101, 107, 109, 122)
    ),  # moderate and severe noise of each law
    "logistic_regression": ("logistic_regression:features=2,condition=10,box=4",),
    "digits": ("digits:hidden=8",),
    "module": ("module",),
    "batch_norm": ("batch_norm:hidden=8",),
    "autoencoder": ("autoencoder:hidden=16,bottleneck=2",),
    "bilinear": ("bilinear:dim=2,condition=1",),
    "moving": tuple(
        f"moving:inner={BOWL},path={path}"
        for path in ("linear", "jump,period=40", "cycle", "random_walk,step=0.1")
    ),
    "finite_sum": (f"finite_sum:inner={BOWL},law=pareto",),
}


def words() -> list[str]:
    """All examples, in the order of the registry; a kind without one is shown with its defaults."""
    from landscapes import LANDSCAPES

    return [word for kind in LANDSCAPES for word in EXAMPLES.get(kind, (kind,))]
