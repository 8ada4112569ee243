# SPDX-License-Identifier: AGPL-3.0-or-later
"""Functions of OpenHCS that are not offered, and why, in a sentence for those who miss them."""

from __future__ import annotations

__all__ = ["EXCLUDED", "REPLACED"]

REPLACED = {
    "openhcs:processors_numpy_processor_create_projection": "openhcs:create_projection",
    "openhcs:processors_numpy_processor_gaussian_blur": "openhcs:gaussian_blur",
    "openhcs:processors_numpy_processor_tophat": "openhcs:tophat",
}
"""OpenHCS's ids of functions that have had a shorter id from the beginning."""

_FILES = "It reads or writes files, or starts programs, on the computer that runs it."
_SIZE = "It changes the size of images, so its results would no longer lie on the originals."
_COLOUR = "It makes or takes colour images; screening images are grey."
_TABLE = "It shows or combines tables of measurements rather than images; results pages and OMERO.tables do that."
_THREE = "It works on image volumes; a step sees one plane of a field."
_WORMS = "It needs a trained worm model, or takes minutes per image."
_HANDS = "It waits for somebody who draws by hand."
_GRID = "It works on grids of spots rather than on cells."
_NOT_IMAGE = "It returns neither an image nor objects nor numbers that fit a table."
_TWO_SETS = "It compares two sets of objects of the same image, which only makes sense with a known truth."

_REASONS: dict[str, tuple[str, ...]] = {
    _FILES: (
        "openhcs:analysis_consolidate_analysis_results_consolidate_analysis_results_pipeline",
        "openhcs:analysis_consolidate_special_outputs_consolidate_special_outputs",
        "openhcs:analysis_multi_template_matching_multi_template_crop",
        "openhcs:analysis_multi_template_matching_multi_template_crop_reference_channel",
        "openhcs:analysis_multi_template_matching_multi_template_crop_subset",
        "openhcs:cellprofiler_export_to_database",
        "openhcs:cellprofiler_export_to_spreadsheet",
        "openhcs:cellprofiler_match_template",
        "openhcs:cellprofiler_run_imagej_macro",
        "openhcs:cellprofiler_save_images",
        "openhcs:cellprofiler_save_images_with_measurements",
    ),
    _SIZE: (
        "openhcs:assemblers_assemble_stack_cpu_assemble_stack_cpu",
        "openhcs:cellprofiler_crop",
        "openhcs:cellprofiler_flip_and_rotate",
        "openhcs:cellprofiler_resize",
        "openhcs:cellprofiler_resize_objects",
        "openhcs:cellprofiler_tile",
        "openhcs:processors_numpy_processor_create_composite",
        "openhcs:processors_numpy_processor_crop",
        "openhcs:processors_numpy_processor_spatial_bin_2d",
        "openhcs:processors_numpy_processor_spatial_bin_3d",
        "skimage:measure.block_reduce",
        "skimage:transform.pyramid_expand",
        "skimage:transform.pyramid_reduce",
        "skimage:transform.radon",
        "skimage:transform.warp_polar",
    ),
    _COLOUR: (
        "openhcs:cellprofiler_color_to_gray",
        "openhcs:cellprofiler_convert_objects_to_image",
        "openhcs:cellprofiler_gray_to_color",
        "openhcs:cellprofiler_invert_for_printing",
        "openhcs:cellprofiler_invert_for_printing_grayscale",
        "openhcs:cellprofiler_invert_for_printing_without_output",
        "openhcs:cellprofiler_overlay_objects",
        "openhcs:cellprofiler_overlay_outlines",
        "openhcs:cellprofiler_unmix_colors",
    ),
    _TABLE: (
        "openhcs:cellprofiler_calculate_math",
        "openhcs:cellprofiler_calculate_statistics",
        "openhcs:cellprofiler_classify_objects_single_measurement",
        "openhcs:cellprofiler_classify_objects_two_measurements",
        "openhcs:cellprofiler_display_data_on_image",
        "openhcs:cellprofiler_display_density_plot",
        "openhcs:cellprofiler_display_histogram",
        "openhcs:cellprofiler_display_platemap",
        "openhcs:cellprofiler_display_scatter_plot",
        "openhcs:cellprofiler_filter_objects",
        "openhcs:cellprofiler_flag_image",
    ),
    _THREE: (
        "openhcs:cellprofiler_dilate_objects_3d",
        "openhcs:cellprofiler_make_projection",
        "openhcs:cellprofiler_measure_image_skeleton_3d",
        "openhcs:cellprofiler_measure_image_volume_occupied_binary",
        "openhcs:cellprofiler_measure_image_volume_occupied_objects",
        "openhcs:cellprofiler_morphological_skeleton_3d",
        "openhcs:cellprofiler_remove_holes_3d",
        "openhcs:cellprofiler_resize_objects_3d",
        "openhcs:cellprofiler_resize_volumetric",
        "openhcs:cellprofiler_shrink_to_object_centers_3d",
        "openhcs:processors_numpy_processor_create_orthogonal_projections",
    ),
    "'Project focal planes' does the same.": (
        "openhcs:processors_numpy_processor_max_projection",
        "openhcs:processors_numpy_processor_mean_projection",
    ),
    "'Normalise each plane' does the same for every plane.": ("openhcs:processors_numpy_processor_percentile_normalize_plane",),
    _WORMS: (
        "openhcs:cellprofiler_identify_dead_worms",
        "openhcs:cellprofiler_straighten_worms",
        "openhcs:cellprofiler_untangle_worms",
        "openhcs:cellprofiler_untangle_worms_both",
        "openhcs:cellprofiler_untangle_worms_with_overlap",
    ),
    _HANDS: ("openhcs:cellprofiler_edit_objects_manually", "openhcs:cellprofiler_manual_objects_identify_objects_manually"),
    _GRID: (
        "openhcs:cellprofiler_define_grid_automatic",
        "openhcs:cellprofiler_define_grid_manual",
        "openhcs:cellprofiler_identify_objects_in_grid",
    ),
    _TWO_SETS: (
        "openhcs:cellprofiler_measure_object_overlap",
        "openhcs:cellprofiler_measure_object_overlap_with_emd",
        "openhcs:cellprofiler_measureimageoverlap",
        "openhcs:cellprofiler_measureimageoverlap_with_emd",
    ),
    "It follows objects over time; the pipelines work on one time point.": ("openhcs:cellprofiler_track_objects",),
    "It makes a weight for joining images, not an image.": (
        "openhcs:processors_numpy_processor_create_linear_weight_mask",
        "openhcs:processors_numpy_processor_create_weight_mask",
    ),
    "It moves channels against each other, so objects and images would no longer fit.": ("openhcs:cellprofiler_align",),
    "The positions of fields are in OMERO already; use 'Positions of overlapping fields' to find them from the images.": (
        "openhcs:pos_gen_acquisition_positions_acquisition_tile_positions",
    ),
    "'Correct illumination of one field' calculates and applies the correction in one step.": (
        "openhcs:cellprofiler_correct_illumination_apply",
    ),
    "'Find maxima' does the same; a mask is not needed.": ("openhcs:cellprofiler_find_maxima_with_mask",),
    "It needs the package mahotas, which is not installed; use 'Measure texture of objects'.": (
        "openhcs:cellprofiler_measure_texture",
        "openhcs:cellprofiler_measure_texture_objects",
    ),
    "Use 'Count objects inside objects' and 'Measure distance to other objects'.": (
        "openhcs:cellprofiler_relate_objects",
        "openhcs:cellprofiler_relate_objects_with_saved_children",
    ),
    "Use 'Measure colocalisation in objects'.": (
        "openhcs:cellprofiler_measure_colocalization",
        "openhcs:cellprofiler_measure_colocalization_objects",
    ),
    "Use 'Measure area occupied'.": ("openhcs:cellprofiler_measure_image_area_occupied",),
    "Use 'Positive and negative objects' with objects of the first channel.": (
        "openhcs:analysis_count_cells_simple_count_cells_simple_dual_channel",
        "openhcs:analysis_cell_counting_cpu_count_cells_multi_channel",
    ),
    "Use 'Neurite outgrowth', which also finds cell bodies.": (
        "openhcs:analysis_neurite_outgrowth_count_neuronal_cell_bodies_metaxpress",
    ),
    "It needs the package alva_machinery, which is not installed; use 'Neurite outgrowth'.": (
        "openhcs:analysis_hmm_axon_trace_neurites_rrs_alva",
    ),
    "It needs CellProfiler's names of images; use 'Measure intensity at edge and centre'.": (
        "openhcs:cellprofiler_measure_object_intensity_distribution",
    ),
    "Use 'Identify secondary objects' and 'Identify tertiary objects'.": (
        "openhcs:cellprofiler_identify_secondary_objects_with_replacement_primary",
    ),
    "Use 'Mask image', or 'Keep objects by intensity' to choose objects.": ("openhcs:cellprofiler_mask_objects",),
    "Use 'Measure neurites of objects'.": ("openhcs:cellprofiler_measure_object_skeleton_with_branchpoint_image",),
    "Use 'Measure intensity of objects'.": ("openhcs:cellprofiler_measure_image_intensity_objects",),
    "Use 'Merge near objects'.": (
        "openhcs:cellprofiler_combineobjects",
        "openhcs:cellprofiler_split_or_merge_objects_per_parent",
        "openhcs:cellprofiler_split_or_merge_objects_with_guide_image",
    ),
    "It calculates between channels, whose grey values have no common unit.": ("openhcs:cellprofiler_image_math",),
    "Use 'Find objects (watershed)' or 'Split touching objects'.": (
        "openhcs:cellprofiler_watershed_cellprofiler4",
        "openhcs:cellprofiler_watershed_library",
    ),
    "It makes many images of one.": ("skimage:feature.multiscale_basic_features",),
    "It replaces grey values by their ranks, which differ from field to field.": ("skimage:filters.rank_order",),
    "It unwraps phases; microscopes for screening give intensities.": ("skimage:restoration.unwrap_phase",),
    "It distorts the image.": ("skimage:transform.swirl",),
    _NOT_IMAGE: (
        "skimage:exposure.cumulative_distribution",
        "skimage:exposure.histogram",
        "skimage:morphology.max_tree",
        "skimage:transform.hough_ellipse",
        "skimage:transform.hough_line",
        "skimage:transform.integral_image",
    ),
}

EXCLUDED = {function: reason for reason, functions in _REASONS.items() for function in functions}
"""Reasons by the id of the function."""
